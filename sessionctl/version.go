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
	About: `Shows the version, the commit that it was built from, Go's version and the system.`,
	Flags: func(set *flag.FlagSet) func(context.Context, *Program, []string) error {
		json := set.Bool("json", false, "print JSON")
		return func(_ context.Context, p *Program, _ []string) error {
			v := thisVersion()
			if *json {
				return p.object(v)
			}
			_, err := fmt.Fprintf(p.Out, "sessionctl %s\ncommit %s\n%s %s\n", v.Version, v.Commit, v.Go, v.System)
			return err
		}
	},
}

type versionInfo struct {
	Version string `json:"version"` // of the module, or (devel)
	Commit  string `json:"commit"`  // and "changed" if the tree was; unknown where Go does not say
	Go      string `json:"go"`
	System  string `json:"system"`
}

func thisVersion() versionInfo {
	v := versionInfo{Version: "(devel)", Commit: "unknown", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
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
