package core

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// TestDocumentation holds the package documentation to the code: the states to
// the table, keys and tags to their constants. With -update it is rewritten.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	doc := string(text)
	for intro, lines := range map[string][]string{
		"refused with [ErrEnded].":                    diagram(),
		"The keys of the map:":                        constants(t, "record_payload.go", "key", keyFormat, keyOutdated),
		"The private tags, and what they stand on:":   constants(t, "value_cbor.go", "tag", tagInt64, tagStringMap),
		"The reasons of refusals, by name and number": reasonList(),
	} {
		doc = withBlock(t, doc, intro, lines)
	}
	if *update {
		require.NoError(t, os.WriteFile("doc.go", []byte(doc), 0o644))
		return
	}
	require.Equal(t, doc, string(text), "doc.go is behind the code; go test ./core -run Documentation -update")
}

// withBlock puts lines in the place of the indented ones after an intro.
func withBlock(t *testing.T, doc, intro string, lines []string) string {
	t.Helper()
	before, rest, ok := strings.Cut(doc, intro)
	require.True(t, ok, "doc.go lacks %q", intro)
	from := strings.Index(rest, "\n//\t") + 1
	require.Positive(t, from)
	end := from
	for strings.HasPrefix(rest[end:], "//\t") {
		end += strings.IndexByte(rest[end:], '\n') + 1
	}
	return before + intro + rest[:from] + "//\t" + strings.Join(lines, "\n//\t") + "\n" + rest[end:]
}

func diagram() (lines []string) {
	for from := range states {
		for to := range states {
			var names []string
			for v, next := range transitions[from] {
				if next == to {
					names = append(names, verbNames[v])
				}
			}
			if len(names) > 0 {
				lines = append(lines, fmt.Sprintf("%-6s -- %s --> %s", from, strings.Join(names, ", "), to))
			}
		}
	}
	return lines
}

func reasonList() (lines []string) {
	for r := range reasons {
		lines = append(lines, fmt.Sprintf("%2d  %s", r, r))
	}
	return lines
}

// constants lists the constants of one block, numbered from first to last,
// with the comments that stand beside them.
func constants(t *testing.T, file, prefix string, first, last int) (lines []string) {
	t.Helper()
	f, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, parser.ParseComments)
	require.NoError(t, err)
	for _, d := range f.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != gotoken.CONST || !strings.HasPrefix(block.Specs[0].(*ast.ValueSpec).Names[0].Name, prefix) {
			continue
		}
		for i, spec := range block.Specs[:last-first+1] {
			v := spec.(*ast.ValueSpec)
			lines = append(lines, fmt.Sprintf("%2d  %-16s %s", first+i, words(v.Names[0].Name[len(prefix):]), strings.TrimSpace(v.Comment.Text())))
		}
	}
	require.Len(t, lines, last-first+1)
	return lines
}

// words parts a name at its capitals: "LastIP" is "last IP".
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		starts := unicode.IsUpper(r) && (i == 0 || unicode.IsLower(rune(name[i-1])))
		if starts && i > 0 {
			b.WriteByte(' ')
		}
		if abbreviated := i+1 < len(name) && unicode.IsUpper(rune(name[i+1])); starts && !abbreviated {
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
