package linear

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/rockstar-web/sessions/core"
)

// Verb is what a client called.
type Verb string

// The verbs. A call of many records is as many calls at once.
const (
	Load   Verb = "load"
	Save   Verb = "save"
	Delete Verb = "delete"
)

// Answer is what it was answered.
type Answer string

// The answers. A refused call changed nothing, and says so.
const (
	Done     Answer = "done"
	Missing  Answer = "missing"
	Conflict Answer = "conflict"
	Refused  Answer = "refused"
	Unknown  Answer = "" // also of a client that was killed
)

// Op is one call and its answer.
type Op struct {
	Client       string // unique among all processes
	Call, Return int64  // by one clock; Return is math.MaxInt64 if it is not known
	Verb         Verb
	ID           core.ID
	State        State        // saved, or found by a load
	Prev         core.Version // of a save
	Answer       Answer
}

// State is what is stored of a session: nothing if Version is zero.
type State struct {
	Version core.Version
	Sum     uint64 // of the whole record
}

// line is what a log has of an operation: first how it begins, then the whole.
type line struct {
	N  uint64 // the operation's number, with its client unique
	Op Op
}

// Log writes operations, each before its call and after its answer, so that
// those of a process that is killed are known. It is safe for concurrent use;
// several processes have one each.
type Log struct {
	mu  sync.Mutex
	to  io.Writer
	n   uint64
	err error
}

// NewLog returns a Log that writes to w, line by line, without a buffer.
func NewLog(w io.Writer) *Log { return &Log{to: w} }

// Err returns the first error of writing.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// begin notes what is about to be called, and returns its number.
func (l *Log) begin(ops ...*Op) (first uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first = l.n
	for _, op := range ops {
		op.Return = math.MaxInt64
		op.Call = now()
		l.write(line{l.n, *op})
		l.n++
	}
	return first
}

// end notes what was answered.
func (l *Log) end(first uint64, ops ...*Op) {
	at := now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, op := range ops {
		if op.Answer != Unknown {
			op.Return = at
		}
		l.write(line{first + uint64(i), *op})
	}
}

func (l *Log) write(v line) {
	text, err := json.Marshal(v)
	if err == nil {
		_, err = l.to.Write(append(text, '\n'))
	}
	if l.err == nil {
		l.err = err
	}
}

// Read returns the operations of a log. The last line of a process that was
// killed may be cut.
func Read(r io.Reader) ([]Op, error) {
	type key struct {
		client string
		n      uint64
	}
	at := map[key]int{}
	var all []Op
	lines := bufio.NewScanner(r)
	var cut error
	for lines.Scan() {
		if cut != nil {
			return nil, cut
		}
		var v line
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			cut = fmt.Errorf("a log has %q: %w", lines.Text(), err)
			continue
		}
		k := key{v.Op.Client, v.N}
		if i, begun := at[k]; begun {
			all[i] = v.Op
		} else {
			at[k] = len(all)
			all = append(all, v.Op)
		}
	}
	return all, lines.Err()
}
