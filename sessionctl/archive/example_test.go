package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/sessionctl/archive"
)

func Example() {
	var file bytes.Buffer
	w, err := archive.NewWriter(&file, 1_790_000_000_000)
	if err != nil {
		panic(err)
	}
	if err := w.Add(&core.Record{ID: core.ID{1}, Version: 7, User: "alice", Sealed: []byte("...")}); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}

	r, err := archive.NewReader(&file)
	if err != nil {
		panic(err)
	}
	defer r.Close()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			panic(err) // such as ErrTruncated
		}
		fmt.Println(record.ID, record.User)
	}
	// Output: AQAAAAAAAAAAAAAAAAAAAA alice
}
