package demo

import (
	"fmt"
	"strings"
	"time"
)

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05 UTC")
}

// left says a duration in its two largest units.
func left(d time.Duration) string {
	if d <= 0 {
		return "none"
	}
	units := []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.size {
			continue
		}
		text := fmt.Sprintf("%d %s", d/u.size, u.name)
		if i+1 < len(units) {
			if rest := d % u.size / units[i+1].size; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
			}
		}
		return text
	}
	return "less than 1 s"
}

// typeName is the Go type of a value as people write it.
func typeName(value any) string {
	return strings.ReplaceAll(fmt.Sprintf("%T", value), "interface {}", "any")
}

func money(cents int) string { return fmt.Sprintf("%d.%02d €", cents/100, cents%100) }

// device says in a few words what a user agent claims to be.
func device(userAgent string) string {
	find := func(otherwise string, table ...[2]string) string {
		for _, row := range table {
			if strings.Contains(userAgent, row[0]) {
				return row[1]
			}
		}
		return otherwise
	}
	browser := find("", [2]string{"Edg/", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"Firefox/", "Firefox"},
		[2]string{"Chrome/", "Chrome"}, [2]string{"Safari/", "Safari"})
	system := find("", [2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"},
		[2]string{"Windows", "Windows"}, [2]string{"Mac OS X", "macOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	case userAgent == "":
		return "Unknown device"
	}
	name, _, _ := strings.Cut(userAgent, "/")
	return name
}
