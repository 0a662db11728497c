package core

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimesConvertAndPrint(t *testing.T) {
	at := time.Date(2026, 5, 4, 3, 2, 1, 999_999_999, time.FixedZone("", 2*3600))
	got := TimeOf(at)
	require.Equal(t, at.Truncate(time.Millisecond).UnixNano(), got.Time().UnixNano())
	require.Equal(t, time.UTC, got.Time().Location())
	require.Equal(t, "2026-05-04T01:02:01.999Z", got.String())
	require.Equal(t, "2026-05-04T01:02:01.999Z", fmt.Sprintf("%v", got))
	require.Equal(t, "1777856521999", fmt.Sprintf("%d", got), "the number for who asks for it")

	require.Zero(t, TimeOf(time.Time{}))
	require.True(t, Time(0).Time().IsZero())
	require.Equal(t, "not set", Time(0).String())
	for _, ms := range []Time{-1, 1, math.MinInt64, math.MaxInt64} {
		require.NotPanics(t, func() { _ = ms.String() })
	}
	for _, ms := range []Time{-1, 1, Day, 253402300799999} {
		require.Equal(t, ms, TimeOf(ms.Time()))
	}
}

// A cookie from the future tells of a clock, and for a visitor is as before: not
// authentic.
func TestACookieOfTheFutureTellsOfAClock(t *testing.T) {
	m := testMachine(t, Policy{})
	cookie := signIn(t, m, Request{}, 0, testNow).cookie
	_, err := m.Identify([]string{cookie}, "", testNow-Hour)
	require.NoError(t, err, "clocks may differ by an hour")
	_, err = m.Identify([]string{cookie}, "", testNow-5*Hour)
	require.ErrorIs(t, err, ErrNotAuthentic)
	require.Equal(t, ReasonNotAuthentic, ReasonOf(err))
	require.ErrorContains(t, err, "5 hours ahead of this server's clock; check the clocks")
}
