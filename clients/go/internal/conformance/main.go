// Command conformance drives the Go client for the conformance suite of all clients: see clients/conformance/README.md
// for what each line of its standard input asks, and what it answers.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// A request of the contract is far smaller.
const longestLine = 1 << 20

func main() {
	if err := drive(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func drive() error {
	var driver driver
	defer driver.close()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		var asked line
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return fmt.Errorf("not a line of the suite: %w", err)
		}
		answer, err := driver.answer(asked)
		if err != nil {
			return fmt.Errorf("%s %s: %w", asked.Op, asked.Method, err)
		}
		encoded, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		fmt.Println(string(encoded))
	}
	return lines.Err()
}
