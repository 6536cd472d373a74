package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

func TestSearchFindsTheNewestFirst(t *testing.T) {
	r := newRegion(t, virginia)
	r.cfg.MaxAccess, r.cfg.AccessPerHour, r.cfg.RefusalsPerHour = 1<<20, 1<<20, 1<<20
	l := r.open()
	for i := range 300 {
		e := signIn(fmt.Sprintf("user-%03d@example.com", i))
		if i%3 == 0 {
			require.NoError(t, l.Change(t.Context(), e))
		} else if i%3 == 1 {
			require.NoError(t, l.Access(t.Context(), e))
		} else {
			e.ErrorCode = "Signature"
			l.Refused(t.Context(), e)
			l.Flush()
		}
		r.clock.Advance(time.Second)
	}
	var got []string
	q := audit.Query{Max: 37}
	for {
		page, err := l.Search(t.Context(), q)
		require.NoError(t, err)
		require.Empty(t, page.Damage)
		for _, e := range page.Events {
			got = append(got, e.Identity.UserName)
		}
		if page.Next == nil {
			break
		}
		q.Before = page.Next
	}
	require.Len(t, got, 300)
	for i, name := range got {
		require.Equal(t, fmt.Sprintf("user-%03d@example.com", 299-i), name)
	}

	for text, n := range map[string]int{
		"USER-123@": 1, "user-12": 10, "signature": 100, "192.0.2.7": 300, "eventName": 0, "nobody": 0, "u-user-007": 1,
	} {
		page, err := l.Search(t.Context(), audit.Query{Text: text, Max: 500})
		require.NoError(t, err)
		assert.Len(t, page.Events, n, text)
	}
	e := signIn("forger@example.com")
	e.ClientAddr, e.UserAgent, e.Request = "192.0.2.70", "192.0.2.7", map[string]string{"x": "192.0.2.7"}
	require.NoError(t, l.Access(t.Context(), e))
	for session, n := range map[string]int{"192.0.2.7": 100, "192.0.2.70": 1, "192.0.2": 0} {
		page, err := l.Search(t.Context(), audit.Query{Class: audit.Access, Session: session, Max: 500})
		require.NoError(t, err)
		assert.Len(t, page.Events, n, session)
	}
	page, err := l.Search(t.Context(), audit.Query{From: start.Add(10 * time.Second), To: start.Add(20 * time.Second)})
	require.NoError(t, err)
	assert.Len(t, page.Events, 10)
	page, err = l.Search(t.Context(), audit.Query{Class: audit.Refusals, Max: 500})
	require.NoError(t, err)
	assert.Len(t, page.Events, 100)
	_, err = l.Search(t.Context(), audit.Query{Class: "../x"})
	require.Equal(t, audit.ReasonConfig, reason(err))
}
