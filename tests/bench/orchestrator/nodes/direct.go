// The nodes called directly, by one Go program in the orchestrator's place: what gRPC itself can do here.
package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const queue = 100

var desc = &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}

// direct moves every message from the source over `maps` maps to the sink, and returns when the source has ended.
func direct(address string, maps int) error {
	size := grpc.MaxCallRecvMsgSize(1 << 30)
	options := grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{}), size, grpc.MaxCallSendMsgSize(1<<30))
	hops := []string{"/bench.Src/run"}
	for i := 0; i < maps; i++ {
		hops = append(hops, fmt.Sprintf("/bench.Map%d/run", i))
	}
	hops = append(hops, "/bench.Snk/run")
	var input chan raw
	ends := make(chan error, len(hops))
	for _, path := range hops {
		// A connection per hop, as the orchestrator has it.
		connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), options)
		if err != nil {
			return err
		}
		output := make(chan raw, queue)
		move := calls
		if *isStream {
			move = stream
		}
		go func(input chan raw) {
			defer close(output)
			ends <- move(connection, path, input, output)
		}(input)
		input = output
	}
	for range input {
	}
	return <-ends
}

func calls(connection *grpc.ClientConn, path string, input, output chan raw) error {
	for {
		request := raw{}
		if input != nil {
			message, isOpen := <-input
			if !isOpen {
				return nil
			}
			request = message
		}
		var answer raw
		if err := connection.Invoke(context.Background(), path, &request, &answer); err != nil {
			return err
		}
		output <- answer
	}
}

func stream(connection *grpc.ClientConn, path string, input, output chan raw) error {
	call, err := connection.NewStream(context.Background(), desc, path)
	if err != nil {
		return err
	}
	go func() {
		if input == nil {
			call.SendMsg(&raw{})
		}
		for message := range input {
			call.SendMsg(&message)
		}
		call.CloseSend()
	}()
	for {
		var answer raw
		if err := call.RecvMsg(&answer); err != nil {
			return err
		}
		output <- answer
	}
}
