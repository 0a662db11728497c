package core

import "slices"

// merge adds two requests' changes of one value up. Not ok are values that the
// kind does not fit; then the later commit wins.
func merge(kind MergeKind, base, theirs, ours []byte) (merged []byte, ok bool) {
	if theirs == nil || ours == nil {
		return nil, false
	}
	switch kind {
	case MergeCounter:
		return mergeCounter(base, theirs, ours)
	case MergeSet:
		return mergeSet(base, theirs, ours)
	}
	return nil, false
}

func mergeCounter(base, theirs, ours []byte) ([]byte, bool) {
	b, wideB, okB := counter(base)
	t, wideT, okT := counter(theirs)
	o, wideO, okO := counter(ours)
	sum := t + o - b // differences are exact modulo 2^64
	if !okB || !okT || !okO || wideT != wideO || base != nil && wideB != wideO || (o >= b) != (sum >= t) {
		return nil, false
	}
	if !wideO {
		return appendInt(nil, sum), true
	}
	out, err := AppendValue(nil, sum)
	return out, err == nil
}

// counter reads an int or an int64; a missing one is 0. An int is read as its
// 64 bits, so that it adds up to the same also where Go's int has 32.
func counter(data []byte) (n int64, wide, ok bool) {
	if data == nil {
		return 0, false, true
	}
	if n, end, ok := readInt(data, 0); ok {
		return n, false, end == len(data)
	}
	v, err := DecodeValue(data)
	if err != nil {
		return 0, false, false
	}
	n, wide = v.(int64)
	return n, wide, wide
}

// mergeSet applies our removals and additions to theirs, in their order.
func mergeSet(base, theirs, ours []byte) ([]byte, bool) {
	b, textB, okB := elements(base)
	t, textT, okT := elements(theirs)
	o, textO, okO := elements(ours)
	if !okB || !okT || !okO || textT != textO || base != nil && textB != textO {
		return nil, false
	}
	var all []string
	for _, e := range t {
		if !slices.Contains(b, e) || slices.Contains(o, e) {
			all = append(all, e)
		}
	}
	for _, e := range o {
		if !slices.Contains(b, e) && !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	var v any
	if textO {
		list := make([]string, len(all))
		copy(list, all)
		v = list
	} else {
		list := make([]any, len(all))
		for i, e := range all {
			x, err := DecodeValue([]byte(e))
			if err != nil {
				return nil, false
			}
			list[i] = x
		}
		v = list
	}
	out, err := AppendValue(nil, v)
	return out, err == nil
}

// elements returns the elements of a []string, or each of a []any encoded.
func elements(data []byte) (list []string, text, ok bool) {
	if data == nil {
		return nil, false, true
	}
	v, err := DecodeValue(data)
	if err != nil {
		return nil, false, false
	}
	switch v := v.(type) {
	case []string:
		return v, true, true
	case []any:
		for _, e := range v {
			enc, err := AppendValue(nil, e)
			if err != nil {
				return nil, false, false
			}
			list = append(list, string(enc))
		}
		return list, false, true
	}
	return nil, false, false
}
