package demo

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

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
	maxNote  = 500 // as the form counts: see noteSize
)

// A noRoomError refuses a note, also where another tab has filled the list meanwhile. It
// keeps the text of the note: the page of such an error has no form.
type noRoomError struct{ text string }

func (noRoomError) Error() string { return noRoom }

// What the page says of a note that was refused.
var (
	emptyNote = "The note is empty: write something in it."
	noRoom    = fmt.Sprintf("There are %d notes already, and that is the most. Delete one first.", maxNotes)
)

func longNote(size int) string {
	return fmt.Sprintf("The note has %d characters, and %d are the most.", size, maxNote)
}

type note struct {
	ID   int64     `session:"id"`
	Text string    `session:"text"`
	Tags []string  `session:"tags"`
	At   time.Time `session:"at"`
}

type notesView struct {
	Notes          []note
	Draft, Trouble string
}

func (s *site) notesPage(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	var text string
	if err == nil {
		text, _, err = draft.Take(v)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.showNotes(w, r, http.StatusOK, text, "")
}

// showNotes shows the page with a text in its form, such as that of a refused note.
func (s *site) showNotes(w http.ResponseWriter, r *http.Request, status int, text, trouble string) {
	v, err := nethttp.From(r)
	var list []note
	if err == nil {
		list, err = notes.Get(v)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	slices.Reverse(list)
	s.show(w, r, status, "notes", "Notes", notesView{list, text, trouble})
}

// draftOf is the note of a form that was refused, so that it need not be typed again.
func draftOf(r *http.Request) string {
	if r.Method != http.MethodPost || r.URL.Path != "/notes" {
		return ""
	}
	return r.PostFormValue("text")
}

// noteSize counts as a form does for maxlength: in units of UTF-16.
func noteSize(text string) (units int) {
	for _, c := range text {
		units += utf16.RuneLen(c)
	}
	return units
}

// typed is a text as the form counts it: browsers send a line end as CR LF.
func typed(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func (s *site) postNote(w http.ResponseWriter, r *http.Request) {
	given, now := typed(r.PostForm.Get("text")), s.now()
	text := strings.TrimSpace(given)
	refuse := func(trouble string) { s.showNotes(w, r, http.StatusUnprocessableEntity, given, trouble) }
	if text == "" {
		refuse(emptyNote)
		return
	}
	if size := noteSize(text); size > maxNote {
		refuse(longNote(size))
		return
	}
	err := changeNotes(r, func(list []note) ([]note, error) {
		if len(list) >= maxNotes {
			return nil, noRoomError{given}
		}
		return append(list, note{now.UnixNano(), text, tags(text), now}), nil
	})
	status, _ := nethttp.Failure(err)
	switch {
	case err == nil:
		s.again(w, r, "/notes", "noted")
	case errors.As(err, new(noRoomError)):
		refuse(noRoom)
	case status == http.StatusRequestEntityTooLarge:
		refuse(fullSession)
	default:
		s.failed(w, r, err)
	}
}

func (s *site) postNoteDelete(w http.ResponseWriter, r *http.Request) {
	id := r.PostForm.Get("id")
	if err := changeNotes(r, func(list []note) ([]note, error) {
		return slices.DeleteFunc(list, func(n note) bool { return strconv.FormatInt(n.ID, 10) == id }), nil
	}); err != nil {
		s.pageTrouble(w, r, err)
		return
	}
	s.again(w, r, "/notes", "")
}

func changeNotes(r *http.Request, change func([]note) ([]note, error)) error {
	v, err := nethttp.From(r)
	if err != nil {
		return err
	}
	return notes.Update(v, change)
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
