package values

import (
	"reflect"
	"sync"
)

// plan is what is kept of a struct type, or why the type is refused.
type plan struct {
	fields []field
	err    error
}

type field struct {
	index int
	name  string
}

// maxPlans bounds the plans that are remembered: a program can make struct
// types without end at run time. Beyond it a plan is made for each use.
const maxPlans = 1024

var plans = struct {
	sync.RWMutex
	of map[reflect.Type]plan
}{of: make(map[reflect.Type]plan)}

func planOf(t reflect.Type) plan {
	plans.RLock()
	p, ok := plans.of[t]
	plans.RUnlock()
	if ok {
		return p
	}
	p = makePlan(t)
	plans.Lock()
	defer plans.Unlock()
	if len(plans.of) < maxPlans {
		plans.of[t] = p
	}
	return p
}

func makePlan(t reflect.Type) (p plan) {
	seen := make(map[string]bool, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("session")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if seen[name] {
			return plan{err: refusedType(t, "two of its fields are kept as "+name)}
		}
		seen[name] = true
		p.fields = append(p.fields, field{i, name})
	}
	if len(p.fields) == 0 && t.NumField() > 0 {
		return plan{err: refusedType(t, "nothing in it is exported, so nothing would be kept")}
	}
	return p
}
