package portal_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/saml"
)

// observed is an acs.Observer.
type observed struct {
	mu  sync.Mutex
	all []string
}

func (o *observed) add(parts ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, strings.Join(parts, " "))
}

func (o *observed) ObserveResponse(ctx context.Context) (context.Context, func(acs.Verdict)) {
	return ctx, func(v acs.Verdict) { o.add("response", v.Region, v.Reason) }
}

func (o *observed) ObserveVerification(context.Context) func(error) { return func(error) {} }

func (o *observed) ObserveLogout(context.Context, acs.Verdict) {}

func (o *observed) ObserveSignIn(_ context.Context, provider string, unsolicited bool, reason string) {
	how := "solicited"
	if unsolicited {
		how = "unsolicited"
	}
	o.add("sign-in", provider, how, reason)
}

// A response that the portal refuses is an accepted response, and a refused sign-in.
func TestObserver(t *testing.T) {
	o := new(observed)
	w := newWorld(t, func(c *portal.Config) { c.Observer, c.OnSignIn = o, nil })
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	home, provider := "https://"+virginia+"/", idp.EntityID()
	w.signIn(w.browser(), home, "alice@example.com")
	w.signIn(w.browser(), home, "nobody@example.com")
	w.tile(w.browser(), "bob@example.com", "")
	assert.Equal(t, []string{
		"response us-east-1 ", "sign-in " + provider + " solicited ",
		"response us-east-1 ", "sign-in " + provider + " solicited " + string(portal.ReasonUnknownUser),
		"response us-east-1 ", "sign-in " + provider + " unsolicited ",
	}, o.all)
}
