package compare

import (
	"encoding/gob"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A scene is one row of the README's table: it reports whether the library does
// what the row says.
type scene struct {
	says string
	play func(s *stage) bool
}

var scenes = []scene{
	{"two requests at once put different names, and both are kept", func(s *stage) bool {
		s.get("/login")
		s.duringSlow("/put?name=a", "/put?name=b")
		return s.get("/has?name=a") == "true" && s.get("/has?name=b") == "true"
	}},
	{"two requests at once append to one list, and both are kept", func(s *stage) bool {
		s.get("/login")
		s.duringSlow("/append", "/append")
		return s.get("/count") == "2"
	}},
	{"a logout stays, also beside a slow request that writes", func(s *stage) bool {
		s.get("/login")
		thief := s.copied()
		s.duringSlow("/put?name=a", "/logout")
		return thief.get("/user") == ""
	}},
	{"a copy of the cookie opens nothing after the logout", func(s *stage) bool {
		s.get("/login")
		thief := s.copied()
		s.get("/logout")
		return thief.get("/user") == ""
	}},
	{"two requests at once read a value and then put another, and the later one is refused", func(s *stage) bool {
		s.get("/login")
		return !s.duringSlow("/replace?name=a&value=1", "/replace?name=a&value=2")
	}},
	{"a session lives on where the server has lost its store", func(s *stage) bool {
		s.get("/login")
		s.restarted()
		return s.get("/user") == "alice"
	}},
}

// stage is a site and one browser.
type stage struct {
	t       *testing.T
	library library
	url     *url.URL
	browser *http.Client
	slow    chan struct{} // a slow request has read its session
	goOn    chan struct{}
}

func newStage(t *testing.T, l library) *stage {
	s := &stage{t: t, library: l, slow: make(chan struct{}), goOn: make(chan struct{})}
	s.restarted()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s.browser = &http.Client{Jar: jar}
	return s
}

// restarted has the site begin, or begin anew with the same key and an empty store.
func (s *stage) restarted() {
	server := httptest.NewServer(s.library.site(s.t, s.handle))
	s.t.Cleanup(server.Close)
	site, err := url.Parse(server.URL)
	require.NoError(s.t, err)
	s.url = site
}

func (s *stage) handle(w http.ResponseWriter, r *http.Request, q request) (err error) {
	name := r.FormValue("name")
	if r.FormValue("slow") != "" {
		q.user()
		s.slow <- struct{}{}
		<-s.goOn
	}
	answer := ""
	switch r.URL.Path {
	case "/login":
		err = q.login("alice")
	case "/logout":
		err = q.logout()
	case "/put":
		err = q.put(name, "x")
	case "/replace":
		q.has(name)
		err = q.put(name, r.FormValue("value"))
	case "/append":
		err = q.append("list", "x")
	case "/count":
		answer = fmt.Sprint(len(q.list("list")))
	case "/has":
		answer = fmt.Sprint(q.has(name))
	case "/user":
		answer = q.user()
	}
	if err == nil {
		_, err = io.WriteString(w, answer)
	}
	return err
}

func (s *stage) get(path string) string {
	_, text := s.ask(path)
	return text
}

// ask returns 0 where no answer came.
func (s *stage) ask(path string) (status int, text string) {
	a, err := s.browser.Get(s.url.String() + path)
	if err != nil {
		return 0, err.Error()
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		return 0, err.Error()
	}
	return a.StatusCode, string(body)
}

// copied is a browser with a copy of the cookies.
func (s *stage) copied() *stage {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	jar.SetCookies(s.url, s.browser.Jar.Cookies(s.url))
	c := *s
	c.browser = &http.Client{Jar: jar}
	return &c
}

// duringSlow makes one request that has read its session, then another from
// beginning to end, and lets the first go on. It reports whether both were done.
func (s *stage) duringSlow(slow, fast string) bool {
	done := make(chan int)
	mark := "?slow=1"
	if strings.Contains(slow, "?") {
		mark = "&slow=1"
	}
	go func() {
		status, _ := s.ask(slow + mark)
		done <- status
	}()
	<-s.slow
	status, _ := s.ask(fast)
	s.goOn <- struct{}{}
	return <-done == http.StatusOK && status == http.StatusOK
}

// TestComparison plays every scene with every library, and holds the columns of
// the README's table that are of Go to it. The others are held by
// hosts/js/test/compare.test.js.
func TestComparison(t *testing.T) {
	gob.Register([]string{}) // as scs and gorilla need it
	header := "| |"
	for _, l := range libraries {
		header += " " + l.name + " |"
	}
	table := []string{header}
	for _, c := range scenes {
		row := "| " + c.says + " |"
		for _, l := range libraries {
			answer := "no"
			if c.play(newStage(t, l)) {
				answer = "yes"
			}
			row += " " + answer + " |"
		}
		table = append(table, row)
	}
	readme, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	for _, row := range table {
		if !strings.Contains(string(readme), row) {
			t.Errorf("the rows of the README's table should begin with\n%s", strings.Join(table, "\n"))
			break
		}
	}
}

// TestVersions: docs/comparison.md names the versions that are played.
func TestVersions(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	page, err := os.ReadFile("../../../docs/comparison.md")
	require.NoError(t, err)
	for module, name := range map[string]string{"alexedwards/scs/v2": "scs", "gorilla/sessions": "gorilla/sessions", "gofiber/fiber/v3": "fiber"} {
		_, version, found := strings.Cut(string(mod), "github.com/"+module+" v")
		require.True(t, found, module)
		version, _, _ = strings.Cut(version, "\n")
		require.Contains(t, string(page), name+" "+version)
	}
}
