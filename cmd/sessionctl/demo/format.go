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
