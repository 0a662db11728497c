package demo

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Notes are one list of structs, changed by Update: notes written in two tabs at
// once are both there.
const (
	notesName = "notes"
	maxNotes  = 50
	maxNote   = 500 // bytes
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

func notesOf(v *nethttp.Session) ([]note, error) {
	list, err := hosts.Get[[]note](v, notesName)
	if errors.Is(err, hosts.ErrNoValue) {
		return nil, nil
	}
	return list, err
}

func (s *site) notesPage(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	var list []note
	if err == nil {
		list, err = notesOf(v)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	slices.Reverse(list)
	s.show(w, r, http.StatusOK, "notes", "Notes", list)
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
		err = hosts.Update(v, notesName, change)
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
