package portal_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

// Rule 70: a client that goes away before a store has answered is no store that doesn't answer.
func TestRule70AClientThatGoesAwayIsNoAlertOfTheStore(t *testing.T) {
	logs := newAudits(t)
	w := newWorld(t, logs.edit)
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://"+virginia+"/continue?s=0123456789abcdef", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-meridian-continue-0123456789abcdef", Value: "x"})
	require.Equal(t, http.StatusServiceUnavailable, serve(w.hosts[virginia], r).Code)
	all, _ := logs.lines("us-east-1", audit.Refusals, 1)
	require.Len(t, all, 1)
	assert.Equal(t, "ClientGone", all[0].ErrorCode)
	logs.logs["us-east-1"].CheckRules()
	assert.Empty(t, logs.logs["us-east-1"].Alerts())
}
