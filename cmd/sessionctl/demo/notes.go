package demo

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Notes are one list of structs, changed by Update: notes written in two tabs at
// once are both there.
var (
	notes = sessions.Value[[]note]("notes")
	draft = sessions.Value[string]("draft") // of a note that was refused, for the form
)

const (
	maxNotes = 50
	maxNote  = 500 // bytes
)

// errNote refuses a note, also where another tab has filled the list meanwhile.
var (
	errNote  = errors.New("the note does not fit")
	noteRule = fmt.Sprintf("A note has 1 to %d bytes, and there is room for %d notes.", maxNote, maxNotes)
)

type note struct {
	ID   int64     `session:"id"`
	Text string    `session:"text"`
	Tags []string  `session:"tags"`
	At   time.Time `session:"at"`
}

type notesView struct {
	Notes []note
	Draft string
}

func (s *site) notesPage(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	var out notesView
	if err == nil {
		out.Notes, err = notes.Get(v)
	}
	if err == nil {
		out.Draft, _, err = draft.Take(v)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	slices.Reverse(out.Notes)
	s.show(w, r, http.StatusOK, "notes", "Notes", out)
}

// draftOf is the note of a form that was refused, so that it need not be typed again.
func draftOf(r *http.Request) string {
	if r.Method != http.MethodPost || r.URL.Path != "/notes" {
		return ""
	}
	return r.PostFormValue("text")
}

func (s *site) postNote(w http.ResponseWriter, r *http.Request) {
	text, now := strings.TrimSpace(r.PostForm.Get("text")), s.now()
	s.changeNotes(w, r, "noted", func(list []note) ([]note, error) {
		if text == "" || len(text) > maxNote || len(list) >= maxNotes {
			return nil, errNote
		}
		return append(list, note{now.UnixNano(), text, tags(text), now}), nil
	})
}

func (s *site) postNoteDelete(w http.ResponseWriter, r *http.Request) {
	id := r.PostForm.Get("id")
	s.changeNotes(w, r, "", func(list []note) ([]note, error) {
		return slices.DeleteFunc(list, func(n note) bool { return strconv.FormatInt(n.ID, 10) == id }), nil
	})
}

func (s *site) changeNotes(w http.ResponseWriter, r *http.Request, notice string, change func([]note) ([]note, error)) {
	v, err := nethttp.From(r)
	if err == nil {
		err = notes.Update(v, change)
	}
	if errors.Is(err, errNote) {
		notice, err = "bad-note", nil
	}
	if err != nil {
		s.pageTrouble(w, r, err)
		return
	}
	s.again(w, r, "/notes", notice)
}

// tags are the words of a note that begin with #.
func tags(text string) []string {
	var list []string
	for word := range strings.FieldsSeq(text) {
		if tag := strings.Trim(word, "#.,;:!?"); strings.HasPrefix(word, "#") && tag != "" {
			list = append(list, tag)
		}
	}
	return list
}
