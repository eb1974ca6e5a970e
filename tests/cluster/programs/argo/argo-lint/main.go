// What `argo lint --offline` does, without the rest of that command: its server carries pages that the Go module does not have.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/argoproj/argo-workflows/v3/cmd/argo/lint"
	"github.com/argoproj/argo-workflows/v3/pkg/apiclient"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// run lints files and folders; it ends the program with status 1 when something is wrong.
func run(files []string) error {
	options := apiclient.Opts{Offline: true, OfflineFiles: files, Context: context.Background()}
	ctx, client, err := apiclient.NewClientFromOpts(options)
	if err != nil {
		return err
	}
	kinds := []string{"workflows", "workflowtemplates", "cronworkflows"}
	chosen := lint.LintOptions{Files: files, Strict: true, DefaultNamespace: "default", Printer: os.Stdout}
	return lint.RunLint(ctx, client, kinds, "simple", true, chosen)
}
