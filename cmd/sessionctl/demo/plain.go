package demo

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// valueText shows a value much as JSON would. A float64 has a point or an
// exponent, and what JSON has no type for bears its name: time "2026-...", bytes "00ff".
func valueText(value any) string {
	text := plain(value)
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + " …"
	}
	return text
}

func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return quote(v)
	case []byte:
		return `bytes "` + hex.EncodeToString(v) + `"`
	case time.Time:
		return `time "` + v.UTC().Format(time.RFC3339Nano) + `"`
	case float64:
		return float(v)
	}
	r := reflect.ValueOf(value)
	switch r.Kind() {
	case reflect.Slice:
		return within("[", "]", r.Len(), func(i int) string { return plain(r.Index(i).Interface()) })
	case reflect.Map:
		names := r.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		return within("{", "}", len(names), func(i int) string {
			return quote(names[i].String()) + ": " + plain(r.MapIndex(names[i]).Interface())
		})
	}
	return fmt.Sprint(value) // bool and integers
}

func within(open, end string, n int, item func(int) string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = item(i)
	}
	return open + strings.Join(list, ", ") + end
}

func quote(text string) string {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string is always JSON
	return strings.TrimSuffix(out.String(), "\n")
}

func float(v float64) string {
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if !math.IsInf(v, 0) && !math.IsNaN(v) && !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}
