package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// eventually polls, for what no program can tell.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	servers.Eventually(t, what, done)
}

// process is a private server, which a test may kill, stop and start again.
type process struct{ *servers.OwnRedis }

// Shows is that of OwnRedis without a program for each look: tests look all the time.
func (p *process) Shows(t testing.TB, text string, words ...string) bool {
	t.Helper()
	conn, err := net.DialTimeout("tcp", p.Address(), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	in := bufio.NewReader(conn)
	ask := func(words ...string) (string, error) {
		var b strings.Builder
		fmt.Fprintf(&b, "*%d\r\n", len(words))
		for _, word := range words {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
		}
		if _, err := io.WriteString(conn, b.String()); err != nil {
			return "", err
		}
		return answer(in)
	}
	if p.Password != "" {
		if _, err := ask("AUTH", p.Password); err != nil {
			return false
		}
	}
	got, err := ask(words...)
	return err == nil && strings.Contains(got, text)
}

// answer is a number or a text.
func answer(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, line := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case '+', ':':
		return line, nil
	case '$':
		n, err := strconv.Atoi(line)
		if err != nil || n < 0 {
			return "", err
		}
		text := make([]byte, n)
		_, err = io.ReadFull(in, text)
		return string(text), err
	}
	return "", errors.New(line)
}

// start starts one. In args PORT stands for its port.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	return &process{servers.NewRedis(t, args...)}
}

func (p *process) url() string { return "redis://" + p.Address() }

// do runs a command on the server itself and returns its answer as text.
func (p *process) do(t testing.TB, words ...string) string {
	t.Helper()
	m, err := p.try(t, words...)
	require.NoError(t, err, words)
	return m
}

func (p *process) try(t testing.TB, words ...string) (string, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{p.Address()}, Password: p.Password, AlwaysRESP2: true, ForceSingleClient: true, DisableCache: true, DisableRetry: true})
	if err != nil {
		return "", err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, err := c.Do(ctx, c.B().Arbitrary(words...).Build()).ToMessage()
	if err != nil {
		return "", err
	}
	if n, err := m.AsInt64(); err == nil && m.IsInt64() {
		return strconv.FormatInt(n, 10), nil
	}
	if list, err := m.AsStrSlice(); err == nil {
		return strings.Join(list, " "), nil
	}
	return m.ToString()
}
