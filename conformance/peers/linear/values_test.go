package linear_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/peers/linear"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/values"
	"github.com/rockstar-web/sessions/internal/soak"
)

// One session's values by the manager's verbs: each name is an object of its
// own, whose state is its value in text.
const (
	valueClients = 4 // half of them with each manager
	valueCalls   = 30
	valueLimit   = time.Minute // to judge one name
)

// valueOp is a call and what it saw. One that was refused has no effect.
type valueOp struct {
	name, verb string
	text       string // written, added or appended
	saw        string // read before, or got
	done       bool
}

// verbs is the model: what the state must be for an answer, and what it is then.
var verbs = porcupine.Model{
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		at := map[string]int{}
		for _, o := range history {
			name := o.Input.(valueOp).name
			if _, ok := at[name]; !ok {
				at[name] = len(parts)
				parts = append(parts, nil)
			}
			parts[at[name]] = append(parts[at[name]], o)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, input, _ any) (bool, any) {
		s, op := state.(string), input.(valueOp)
		switch op.verb {
		case "get":
			return op.saw == s, s
		case "set":
			return true, op.text
		case "append":
			return true, s + op.text
		case "rewrite": // what was read, with a mark behind it
			if !op.done {
				return true, s
			}
			return op.saw == s, op.saw + op.text
		case "take":
			return op.saw == s, ""
		}
		return false, s
	},
}

// valueFlaw is a mistake in place of a verb.
type valueFlaw string

const (
	forgetsReads valueFlaw = "forgets reads"
	setsSums     valueFlaw = "adds by get and set"
	getsAndDrops valueFlaw = "takes by get and delete"
	setsUpdates  valueFlaw = "updates by get and set"
)

type valueClient struct {
	m      *hosts.Manager
	id     core.ID
	cookie string
	flaw   valueFlaw
	random *rand.Rand
	who, n int
}

// TestValuesAreLinear: by Add, Update, Take and by what is read and then written,
// over two managers.
func TestValuesAreLinear(t *testing.T) {
	each(t, func(t *testing.T, b backend, url string) {
		one := opened(t, url)
		two := one
		if b.processes > 1 {
			two = opened(t, url)
		}
		for range soak.Rounds(t, 1, 3) {
			verdict := judgeValues(t, one, two, "")
			for tries := 0; verdict == porcupine.Unknown && tries < 3; tries++ { // nobody could judge it in time: it says nothing
				verdict = judgeValues(t, one, two, "")
			}
			require.Equal(t, porcupine.Ok, verdict)
		}
	})
}

func TestFlawedValuesAreNot(t *testing.T) {
	for _, flaw := range []valueFlaw{forgetsReads, setsSums, getsAndDrops, setsUpdates} {
		seen := false
		for range 50 {
			s := memory(t)
			if seen = judgeValues(t, s, s, flaw) == porcupine.Illegal; seen {
				break
			}
		}
		require.True(t, seen, "no run shows that it %s", flaw)
	}
}

func judgeValues(t *testing.T, one, two hosts.Store, flaw valueFlaw) porcupine.CheckResult {
	t.Helper()
	var managers [2]*hosts.Manager
	for i, s := range []hosts.Store{one, two} {
		m, err := hosts.New(s, hosts.Config{Key: core.NewSecret("\x83\x9d linear values, not a secret, no"[:32]), NoCleanup: true, LastWinsAll: flaw == forgetsReads})
		require.NoError(t, err)
		managers[i] = m
		defer m.Close()
	}
	var cookie string
	x := managers[0].Attach(&hosts.Request{Context: t.Context(), HTTPS: true, Reply: func(field, value string) error {
		if field == "Set-Cookie" {
			cookie, _, _ = strings.Cut(value, ";")
		}
		return nil
	}})
	n, err := managers[0].Login(x, "ann", 0)
	require.NoError(t, err)
	var mu sync.Mutex
	var history []porcupine.Operation
	var all sync.WaitGroup
	for who := range valueClients {
		c := &valueClient{m: managers[who%2], id: n.ID, cookie: cookie, flaw: flaw, random: rand.New(rand.NewPCG(seed(t), uint64(who))), who: who}
		all.Go(func() {
			for c.n = range valueCalls {
				call := linear.Now()
				op, err := c.call(t.Context())
				if err != nil {
					t.Error(op, err)
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: who, Input: op, Call: call, Return: linear.Now()})
				mu.Unlock()
			}
		})
	}
	all.Wait()
	result, _ := porcupine.CheckOperationsVerbose(verbs, history, valueLimit)
	require.NoError(t, managers[0].Destroy(t.Context(), n.ID))
	return result
}

// call does one thing. Marks are of one letter each for a sum, and else unique.
func (c *valueClient) call(ctx context.Context) (op valueOp, err error) {
	mark := fmt.Sprintf("%d.%d ", c.who, c.n)
	switch n := c.random.IntN(12); {
	case n < 2:
		op = valueOp{name: "sum", verb: "append", text: "+", done: true}
		return op, c.add(ctx)
	case n < 4:
		op = valueOp{name: "list", verb: "append", text: mark, done: true}
		return op, c.update(ctx, mark)
	case n < 6:
		return c.rewrite(ctx, mark)
	case n < 7:
		op = valueOp{name: "prize", verb: "set", text: mark, done: true}
		return op, c.m.Set(ctx, c.id, "prize", mark)
	case n < 9:
		op = valueOp{name: "prize", verb: "take", done: true}
		op.saw, err = c.take(ctx)
		return op, err
	default:
		op = valueOp{name: []string{"sum", "list", "chain", "prize"}[c.random.IntN(4)], verb: "get", done: true}
		op.saw, err = c.get(ctx, op.name)
		return op, err
	}
}

func (c *valueClient) get(ctx context.Context, name string) (string, error) {
	v, err := c.m.Get(ctx, c.id, name)
	if errors.Is(err, hosts.ErrNoValue) {
		return "", nil
	}
	if n, ok := v.(int); ok { // a sum in as many letters
		return strings.Repeat("+", n), err
	}
	return fmt.Sprint(v), err
}

func (c *valueClient) add(ctx context.Context) error {
	if c.flaw == setsSums {
		was, err := c.get(ctx, "sum")
		return errors.Join(err, c.m.Set(ctx, c.id, "sum", len(was)+1))
	}
	_, err := c.m.Add(ctx, c.id, "sum", 1)
	return err
}

func (c *valueClient) update(ctx context.Context, mark string) error {
	if c.flaw == setsUpdates {
		was, err := c.get(ctx, "list")
		return errors.Join(err, c.m.Set(ctx, c.id, "list", was+mark))
	}
	return hosts.UpdateByID(ctx, c.m, c.id, "list", func(was string) (string, error) { return was + mark, nil })
}

func (c *valueClient) take(ctx context.Context) (string, error) {
	if c.flaw == getsAndDrops {
		was, err := c.get(ctx, "prize")
		if was == "" {
			return "", err
		}
		return was, errors.Join(err, c.m.Delete(ctx, c.id, "prize"))
	}
	v, err := c.m.Take(ctx, c.id, "prize")
	if errors.Is(err, hosts.ErrNoValue) {
		return "", nil
	}
	return fmt.Sprint(v), err
}

func (c *valueClient) rewrite(ctx context.Context, mark string) (valueOp, error) {
	op := valueOp{name: "chain", verb: "rewrite", text: mark}
	x := c.m.Attach(&hosts.Request{Context: ctx, Cookies: hosts.CookieFields(c.cookie), HTTPS: true})
	s, err := c.m.Resume(x)
	if err != nil {
		return op, err
	}
	if raw, ok := s.Read("chain"); ok {
		v, err := core.DecodeValue(raw)
		if err != nil {
			return op, err
		}
		op.saw = v.(string)
	}
	raw, err := values.Encode("chain", op.saw+mark)
	if err == nil {
		err = s.SetValue("chain", raw)
	}
	if err == nil {
		_, err = c.m.Commit(x, s)
	}
	if op.done = err == nil; errors.Is(err, core.ErrConflict) {
		return op, nil
	}
	return op, err
}
