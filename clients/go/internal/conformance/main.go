// Command conformance is the conformance driver of the Go client. clients/conformance/README.md describes its protocol.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// Commands are much smaller.
const maxLineBytes = 1 << 20

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var driver driver
	defer driver.close()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLineBytes)
	for lines.Scan() {
		var cmd command
		if err := json.Unmarshal(lines.Bytes(), &cmd); err != nil {
			return fmt.Errorf("invalid command: %w", err)
		}
		reply, err := driver.reply(cmd)
		if err != nil {
			return fmt.Errorf("%s %s: %w", cmd.Op, cmd.Method, err)
		}
		encoded, err := json.Marshal(reply)
		if err != nil {
			return err
		}
		fmt.Println(string(encoded))
	}
	return lines.Err()
}
