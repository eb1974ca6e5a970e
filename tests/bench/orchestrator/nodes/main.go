// Nodes for the benchmark of the orchestrator: sources, maps and sinks on raw bytes, so that whoever stands between them
// is the bottleneck. Prints its port, then one line of JSON when the sink has received everything.
//
// A message is {fixed64 seq = 1; fixed64 stamp = 2; bytes payload = 3}.
package main

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var (
	count    = flag.Int("n", 1000, "messages")
	window   = flag.Int("w", 64, "messages between source and sink at most; 0: no limit")
	size     = flag.Int("size", 1000, "bytes of the payload")
	isStream = flag.Bool("stream", false, "streaming nodes")
	warmup   = flag.Int("warmup", 200, "messages before the clock starts")
	delay    = flag.Duration("delay", 0, "of the sink per message")
	target   = flag.String("direct", "", "call the nodes at this address instead of being them")
	maps     = flag.Int("maps", 1, "with -direct: how many there are")
)

type raw []byte

type codec struct{}

func (codec) Marshal(v any) ([]byte, error)      { return *v.(*raw), nil }
func (codec) Unmarshal(data []byte, v any) error { *v.(*raw) = append([]byte(nil), data...); return nil }
func (codec) Name() string                       { return "proto" }

type bench struct {
	tokens  chan struct{}
	payload []byte
	mutex   sync.Mutex
	sent    int
	got     int
	wrong   int
	next    uint64
	start   time.Time
	stamps  []float64
}

func newBench() *bench {
	payload := make([]byte, *size)
	for i := range payload {
		payload[i] = byte(i*7 + 128)
	}
	b := &bench{payload: payload}
	if *window > 0 {
		b.tokens = make(chan struct{}, *window)
		for i := 0; i < *window; i++ {
			b.tokens <- struct{}{}
		}
	}
	return b
}

func (b *bench) produce() (raw, bool) {
	if b.tokens != nil {
		<-b.tokens
	}
	b.mutex.Lock()
	seq := b.sent
	b.sent++
	b.mutex.Unlock()
	if seq >= *count {
		return nil, false
	}
	message := make([]byte, 0, 24+len(b.payload))
	message = append(message, 0x09)
	message = binary.LittleEndian.AppendUint64(message, uint64(seq))
	message = append(message, 0x11)
	message = binary.LittleEndian.AppendUint64(message, uint64(time.Now().UnixNano()))
	message = append(message, 0x1a)
	message = binary.AppendUvarint(message, uint64(len(b.payload)))
	return append(message, b.payload...), true
}

func (b *bench) consume(message raw) {
	now := time.Now()
	if *delay > 0 {
		time.Sleep(*delay)
	}
	seq := binary.LittleEndian.Uint64(message[1:9])
	stamp := int64(binary.LittleEndian.Uint64(message[10:18]))
	b.mutex.Lock()
	if seq != b.next {
		b.wrong++
	}
	b.next = seq + 1
	b.got++
	if b.got == *warmup {
		b.start = now
	} else if b.got > *warmup {
		b.stamps = append(b.stamps, float64(now.UnixNano()-stamp)/1000)
	}
	isDone := b.got == *count
	b.mutex.Unlock()
	if isDone {
		b.report(now)
	}
	if b.tokens != nil {
		b.tokens <- struct{}{}
	}
}

func (b *bench) report(end time.Time) {
	sort.Float64s(b.stamps)
	at := func(q float64) float64 { return b.stamps[int(math.Min(q*float64(len(b.stamps)), float64(len(b.stamps)-1)))] }
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"messages_per_second": float64(*count-*warmup) / end.Sub(b.start).Seconds(),
		"p50_us":              at(0.5), "p99_us": at(0.99), "received": b.got, "out_of_order": b.wrong,
	})
}

func (b *bench) serve(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	service := method[strings.LastIndex(method[:strings.LastIndex(method, "/")], ".")+1:]
	switch {
	case strings.HasPrefix(service, "Src"):
		return b.source(stream)
	case strings.HasPrefix(service, "Map"):
		return b.transform(stream)
	}
	return b.sink(stream)
}

func (b *bench) source(stream grpc.ServerStream) error {
	var empty raw
	if err := stream.RecvMsg(&empty); err != nil {
		return err
	}
	for {
		message, ok := b.produce()
		if !ok && *isStream {
			return nil
		}
		if !ok {
			return status.Error(codes.NotFound, "no more data")
		}
		if err := stream.SendMsg(&message); err != nil || !*isStream {
			return err
		}
	}
}

func (b *bench) transform(stream grpc.ServerStream) error {
	for {
		var message raw
		if err := stream.RecvMsg(&message); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		if err := stream.SendMsg(&message); err != nil || !*isStream {
			return err
		}
	}
}

func (b *bench) sink(stream grpc.ServerStream) error {
	for {
		var message raw
		if err := stream.RecvMsg(&message); err != nil {
			if err == io.EOF {
				break
			}
			return err
		}
		b.consume(message)
		if !*isStream {
			break
		}
	}
	empty := raw{}
	return stream.SendMsg(&empty)
}

func main() {
	flag.Parse()
	if *target != "" {
		direct(*target, *maps)
		select {}
	}
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		panic(err)
	}
	b := newBench()
	limit := 1 << 30
	server := grpc.NewServer(grpc.ForceServerCodec(codec{}), grpc.UnknownServiceHandler(b.serve), grpc.MaxRecvMsgSize(limit), grpc.MaxSendMsgSize(limit))
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != nil {
		panic(err)
	}
}
