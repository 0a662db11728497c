package sessionctl

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

var versionCommand = Command{
	Name: "version", Brief: "show the version of this program",
	About:    `Shows the version, the commit if the build has one, Go's version and the system.`,
	Examples: []string{`sessionctl version`, `sessionctl version --json`},
	Flags: func(set *flag.FlagSet) func(context.Context, *Program, []string) error {
		json := set.Bool("json", false, "print JSON")
		return func(_ context.Context, p *Program, _ []string) error {
			v := thisVersion()
			if *json {
				return p.object(v)
			}
			_, err := fmt.Fprintf(p.Out, "sessionctl %s%s\n%s %s\n", v.Version, v.commit(), v.Go, v.System)
			return err
		}
	},
}

type versionInfo struct {
	Version string `json:"version"`          // of the module, or (devel)
	Commit  string `json:"commit,omitempty"` // and "changed" if the tree was; nothing in builds of a released module
	Go      string `json:"go"`
	System  string `json:"system"`
}

func (v *versionInfo) commit() string {
	if v.Commit == "" {
		return ""
	}
	return ", commit " + v.Commit
}

func thisVersion() versionInfo {
	v := versionInfo{Version: "(devel)", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			v.Commit += " changed"
		}
	}
	return v
}
