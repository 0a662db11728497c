package migrate

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// ErrUnregistered means that a value is of a type that the program has not
// registered with gob.Register, as the one that stored it had.
var ErrUnregistered = errors.New("its type is not registered with encoding/gob: call gob.Register as the old program did")

// DecodeGob is for sources. It calls decode with what gob has encoded, and where a
// struct in it is of a type that is not registered once more, with one that stands
// in for that: such a value is ErrUnregistered by Unregistered.
func DecodeGob(encoded []byte, decode func([]byte) error) error {
	for range maxUnregistered {
		err := decode(encoded)
		if err == nil {
			return nil
		}
		name, ok := unregisteredName(err)
		if !ok {
			return err
		}
		if encoded, ok = standIn(encoded, name); !ok {
			return fmt.Errorf("%s: %w", name, ErrUnregistered)
		}
	}
	return ErrUnregistered
}

// Unregistered tells whether DecodeGob has put v in the place of a value.
func Unregistered(v any) bool {
	_, ok := v.(interface{ standsIn() })
	return ok
}

// maxUnregistered bounds the types of one session that are not registered.
const maxUnregistered = 64

func unregisteredName(err error) (string, bool) {
	_, quoted, found := strings.Cut(err.Error(), "gob: name not registered for interface: ")
	if !found {
		return "", false
	}
	name, err := strconv.Unquote(quoted)
	return name, err == nil && name != ""
}

// standIn renames a type in what gob has encoded to one of ours that has a name of
// the same length. It is a struct without fields, which gob reads from any struct.
func standIn(encoded []byte, name string) ([]byte, bool) {
	n := len(name)
	if n <= len(standInPrefix) || n >= len(standIns) {
		return nil, false
	}
	own := standInPrefix + strings.Repeat("-", n-len(standInPrefix))
	standIns[n].Do(func() { gob.RegisterName(own, standInTypes[n/16][n%16]) })
	length := string(rune(n)) // one byte
	renamed := bytes.ReplaceAll(encoded, []byte(length+name), []byte(length+own))
	return renamed, !bytes.Equal(renamed, encoded)
}

const standInPrefix = "\x00old:"

// gob wants one type for each name, and names are as long as those they replace: the
// type for the length of 16a+b is that of the arrays of a and of b elements.
type oldStruct[A, B any] struct{}

func (oldStruct[A, B]) standsIn() {}

func sixteen[A any]() [16]any {
	return [...]any{
		oldStruct[A, [0]any]{}, oldStruct[A, [1]any]{}, oldStruct[A, [2]any]{}, oldStruct[A, [3]any]{},
		oldStruct[A, [4]any]{}, oldStruct[A, [5]any]{}, oldStruct[A, [6]any]{}, oldStruct[A, [7]any]{},
		oldStruct[A, [8]any]{}, oldStruct[A, [9]any]{}, oldStruct[A, [10]any]{}, oldStruct[A, [11]any]{},
		oldStruct[A, [12]any]{}, oldStruct[A, [13]any]{}, oldStruct[A, [14]any]{}, oldStruct[A, [15]any]{},
	}
}

var standInTypes = [...][16]any{
	sixteen[[0]any](), sixteen[[1]any](), sixteen[[2]any](), sixteen[[3]any](),
	sixteen[[4]any](), sixteen[[5]any](), sixteen[[6]any](), sixteen[[7]any](),
}

// standIns are registered once, by the length of their names.
var standIns [16 * len(standInTypes)]sync.Once
