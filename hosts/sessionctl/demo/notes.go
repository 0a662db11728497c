package demo

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Notes are one list of maps, which the config merges as a set: notes written
// in two tabs at once are both there.
const (
	notesName = "notes"
	maxNotes  = 50
	maxNote   = 500 // bytes
)

type note struct {
	ID   int64     `session:"id"`
	Text string    `session:"text"`
	Tags []string  `session:"tags"`
	At   time.Time `session:"at"`
}

func notesOf(v *nethttp.Visit) ([]note, error) {
	list, err := hosts.Get[[]note](v, notesName)
	if errors.Is(err, hosts.ErrNoValue) {
		return nil, nil
	}
	return list, err
}

func (s *site) notesPage(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.Session(r)
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
	text := strings.TrimSpace(r.PostForm.Get("text"))
	s.changeNotes(w, r, func(list []note) ([]note, string) {
		if text == "" || len(text) > maxNote || len(list) >= maxNotes {
			return list, "bad-note"
		}
		now := s.now()
		return append(list, note{now.UnixNano(), text, tags(text), now}), "noted"
	})
}

func (s *site) postNoteDelete(w http.ResponseWriter, r *http.Request) {
	s.changeNotes(w, r, func(list []note) ([]note, string) {
		return slices.DeleteFunc(list, func(n note) bool { return strconv.FormatInt(n.ID, 10) == r.PostForm.Get("id") }), ""
	})
}

func (s *site) changeNotes(w http.ResponseWriter, r *http.Request, change func([]note) ([]note, string)) {
	v, err := nethttp.Session(r)
	var list []note
	if err == nil {
		list, err = notesOf(v)
	}
	notice := ""
	if err == nil {
		list, notice = change(list)
		err = hosts.Put(v, notesName, list)
	}
	if err != nil {
		s.pageTrouble(w, r, err)
		return
	}
	again(w, r, "/notes", notice)
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
