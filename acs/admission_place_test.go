package acs_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/acs"
)

// panickingStore panics once.
type panickingStore struct {
	acs.Store
	once sync.Once
}

func (s *panickingStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	s.once.Do(func() { panic(http.ErrAbortHandler) })
	return s.Store.Add(ctx, key, v, exp)
}

// A panic before OnLogin frees the place of its response, too.
func TestAPanicOfTheStoreFreesItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store = &panickingStore{Store: w.store}
		h := w.region("us-east-1", accept, func(c *acs.Config) { c.MaxAtOnce = 1 })
		l := &load{world: w, handler: h}
		assert.Panics(t, func() { l.post("192.0.2.1:1", w.form(w.good(usACS, ""), "")) })
		assert.Equal(t, http.StatusSeeOther, l.post("192.0.2.2:1", w.form(w.good(usACS, ""), "")))
	})
}

// The page about a refused response uses no place: its client may read it slowly.
func TestAPageOfARefusedResponseUsesNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		read := make(chan struct{})
		h := w.region("us-east-1", accept, func(c *acs.Config) {
			c.MaxAtOnce = 1
			c.RenderPage = func(rw http.ResponseWriter, _ *http.Request, p acs.Page) {
				rw.WriteHeader(p.Status)
				<-read
			}
		})
		l := &load{world: w, handler: h}
		var wg sync.WaitGroup
		wg.Go(func() { l.post("198.51.100.7:1", url.Values{"SAMLResponse": {base64Of("<junk/>")}}) })
		synctest.Wait() // the page is written
		form := w.form(w.good(usACS, ""), "")
		wg.Go(func() {
			defer close(read)
			assert.Equal(t, http.StatusSeeOther, l.post("192.0.2.1:1", form))
		})
		wg.Wait()
	})
}

// A client that sends more responses than are processed doesn't shut out others, even if only one is processed at the
// same time. The networks of one IPv6 site are one client.
func TestAClientCantUseUpTheOnlyPlace(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		most int
		addr string
	}{
		"one place":                     {1, "198.51.100.7:%d"},
		"a site's networks":             {1024, "[2001:db8:7:%x::1]:1"},
		"a site's networks, one place":  {1, "[2001:db8:7:%x::1]:1"},
		"the addresses of one IPv6 /64": {1024, "[2001:db8:7:7::%x]:1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLoad(t, true, 41)
				l.handler = l.region("us-east-1", accept, func(c *acs.Config) { c.MaxAtOnce = tt.most })
				others, ended := l.forms[:40], make(chan struct{})
				var wg sync.WaitGroup
				wg.Go(func() {
					defer close(ended)
					for i := range 800 { // the same response again and again
						wg.Go(func() { l.post(fmt.Sprintf(tt.addr, i+1), l.forms[40]) })
						time.Sleep(5 * time.Millisecond / 2)
					}
				})
				time.Sleep(500 * time.Millisecond)
				in := 0
				for i, form := range others {
					if l.post(fmt.Sprintf("192.0.2.%d:1", i), form) == http.StatusSeeOther {
						in++
					}
					time.Sleep(30 * time.Millisecond)
				}
				<-ended
				wg.Wait()
				assert.GreaterOrEqual(t, in, 36)
			})
		})
	}
}
