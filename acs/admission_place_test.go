package acs_test

import (
	"context"
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
