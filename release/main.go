// Release packs the modules of this repository and prepares their tags.
//
//	go run ./release pack DIR       a module proxy in DIR, of the tree as it is
//	go run ./release tidy           go mod tidy of each module, on the tree as it is
//	go run ./release check          each module is tidy, and can be got and installed
//	go run ./release set VERSION    all modules require each other at VERSION, with their sums
//	go run ./release notes VERSION  what CHANGELOG.md says of VERSION
//
// Modules of this repository find each other by go.work. No go.mod has a
// replace, so what users get is what these commands see.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	all, err := modules()
	if err != nil {
		return err
	}
	switch {
	case len(args) == 2 && args[0] == "pack":
		return pack(all, args[1])
	case len(args) == 1 && args[0] == "tidy":
		return tidyAll(all)
	case len(args) == 1 && args[0] == "check":
		return check(all, true)
	case len(args) == 2 && args[0] == "set":
		return set(all, args[1])
	case len(args) == 2 && args[0] == "notes":
		text, err := notes(args[1])
		fmt.Print(text)
		return err
	}
	return fmt.Errorf("%q: allowed: pack DIR, tidy, check, set VERSION, notes VERSION", args)
}
