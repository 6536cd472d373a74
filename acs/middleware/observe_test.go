package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/saml"
)

// observed is an acs.Observer.
type observed []string

func (o *observed) ObserveResponse(ctx context.Context) (context.Context, func(acs.Verdict)) {
	return ctx, func(v acs.Verdict) { *o = append(*o, "response "+v.Reason) }
}

func (o *observed) ObserveVerification(context.Context) func(error) { return func(error) {} }

func (o *observed) ObserveLogout(context.Context, acs.Verdict) {}

func (o *observed) ObserveSignIn(_ context.Context, idp string, unsolicited bool, reason string) {
	*o = append(*o, fmt.Sprint("sign-in ", idp, " ", unsolicited, " ", reason))
}

// A response that the Guard refuses is an accepted response, and a refused sign-in. An old page is no sign-in.
func TestObserver(t *testing.T) {
	o := new(observed)
	w := newWorld(t, func(c *middleware.Config) {
		c.Observer = o
		c.Admit = func(a *saml.Assertion) (middleware.User, error) {
			if a.NameID().Value == bob {
				return middleware.User{}, errors.New("not invited")
			}
			return middleware.User{}, nil
		}
	})
	b := w.browser()
	w.signIn(b, base+"/page", alice)
	w.signIn(w.browser(), base+"/page", bob)
	w.open(w.browser(), base+"/saml/continue?s=0000000000000000")
	sign := "sign-in " + w.source.IdP().EntityID() + " false "
	require.Equal(t, []string{"response ", sign, "response ", sign + string(middleware.ReasonForbidden)}, []string(*o))
}
