package acs_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// BenchmarkOverload compares sign-ins at a Region that is overloaded with sign-ins one after another. Each call of the
// store takes 10 ms, and the store takes one or four at a time. In each of three rounds 200 sign-ins come one after
// another, and then for three seconds three or four times as many as the store takes, from an address each. The
// responses are signed beforehand. It reports medians of the rounds: the 99th percentile of the times of accepted
// sign-ins, of both kinds and their ratio, how many were accepted and refused, the longest time of a refusal, and the
// largest heap. A ratio of more than 3 is an error, and so is a heap that grows by more than Config.MaxBodies. It makes
// one iteration: use -benchtime 1x.
func BenchmarkOverload(b *testing.B) {
	for _, c := range []struct{ atOnce, perSecond int }{{1, 400}, {4, 1200}} {
		b.Run(fmt.Sprintf("%d at a time", c.atOnce), func(b *testing.B) {
			for b.Loop() {
				benchOverload(b, c.atOnce, c.perSecond)
			}
		})
	}
}

const (
	overloadRounds  = 3
	overloadAlone   = 200
	overloadSeconds = 3
)

func benchOverload(b *testing.B, atOnce, rate int) {
	o := newOverload(b, atOnce)
	values := map[string][]float64{}
	for range overloadRounds {
		b.StopTimer()
		forms := make([]string, overloadAlone+overloadSeconds*rate)
		for i := range forms {
			forms[i] = o.form()
		}
		o.idle()
		b.StartTimer()
		quiet := o.watch()
		for _, form := range forms[:overloadAlone] {
			o.post("192.0.2.1:1", form)
		}
		alone, aloneHeap := p99(o.accepted), quiet()
		require.Len(b, o.accepted, overloadAlone)

		o.idle()
		busy := o.watch()
		var wg sync.WaitGroup
		next := time.NewTicker(time.Second / time.Duration(rate))
		for i, form := range forms[overloadAlone:] {
			<-next.C
			wg.Go(func() { o.post(fmt.Sprintf("10.0.%d.%d:1", i/250, i%250), form) })
		}
		next.Stop()
		wg.Wait()
		loaded, heap := p99(o.accepted), busy()
		require.NotEmpty(b, o.refused)
		for what, v := range map[string]float64{
			"p99-ms-alone": ms(alone), "p99-ms-overloaded": ms(loaded), "times-alone": ms(loaded) / ms(alone),
			"accepted": float64(len(o.accepted)), "refused": float64(len(o.refused)),
			"longest-refusal-ms": ms(slices.Max(o.refused)), "heap-MiB-alone": aloneHeap, "heap-MiB-overloaded": heap,
		} {
			values[what] = append(values[what], v)
		}
	}
	for what, all := range values {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], what)
	}
	b.ReportMetric(0, "ns/op")
	if all := values["times-alone"]; all[len(all)/2] > 3 {
		b.Errorf("admitted sign-ins took %v times as long", all)
	}
	const bodies = 64 // the default of Config.MaxBodies, in MiB
	if most := slices.Max(values["heap-MiB-overloaded"]); most > values["heap-MiB-alone"][0]+bodies {
		b.Errorf("the heap grew to %.0f MiB", most)
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// An overload is a Region with a slow store, without a log.
type overload struct {
	idp     *fakeIdP
	handler http.Handler
	made    int

	mu                sync.Mutex
	accepted, refused []time.Duration
}

func newOverload(b *testing.B, atOnce int) *overload {
	o := &overload{idp: newFakeIdP(idpID, time.Now())}
	described, err := saml.NewIdP(saml.IdPConfig{EntityID: idpID,
		SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}}, Certificates: certs(o.idp)})
	require.NoError(b, err)
	sp, err := saml.New(saml.Config{EntityID: entityID, IdP: described,
		ACS: []saml.Endpoint{{URL: usACS, Region: "us-east-1"}}})
	require.NoError(b, err)
	store := &slowStore{Store: acs.NewMemoryStore(acs.MemoryConfig{}), each: 10 * time.Millisecond,
		turn: make(chan struct{}, atOnce)}
	region, err := acs.NewRegion(acs.Config{SP: sp, Region: "us-east-1", Store: store, Unsolicited: acs.Accept,
		Logger:  slog.New(slog.DiscardHandler),
		OnLogin: func(w http.ResponseWriter, _ *http.Request, _ *acs.Login) { w.WriteHeader(http.StatusSeeOther) }})
	require.NoError(b, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{})
	o.handler = mux
	return o
}

// form returns the form of another response.
func (o *overload) form() string {
	o.made++
	at := time.Now()
	return url.Values{"SAMLResponse": {o.idp.encode(answer{
		id: fmt.Sprintf("r%d", o.made), assertionID: fmt.Sprintf("a%d", o.made), issuer: idpID, to: usACS, audience: entityID,
		nameID: "alice@example.com", issued: at, notOnOrAfter: at.Add(time.Hour), authn: at,
	})}}.Encode()
}

func (o *overload) post(addr, form string) {
	r := httptest.NewRequest(http.MethodPost, usACS, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = addr
	w, began := &discard{header: make(http.Header)}, time.Now()
	o.handler.ServeHTTP(w, r)
	took := time.Since(began)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case w.status == http.StatusSeeOther:
		o.accepted = append(o.accepted, took)
	case w.status == http.StatusServiceUnavailable && w.header.Get("Retry-After") != "":
		o.refused = append(o.refused, took)
	default:
		panic(w.status)
	}
}

// idle forgets the times, and waits until an overload is over.
func (o *overload) idle() {
	o.accepted, o.refused = nil, nil
	runtime.GC()
	time.Sleep(time.Second)
}

// watch returns a function that returns the largest heap since, in MiB: objects, dead ones that aren't collected yet
// among them.
func (o *overload) watch() func() float64 {
	stop, largest := make(chan struct{}), make(chan float64)
	go func() {
		sample, most := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}, 0.0
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			most = max(most, float64(sample[0].Value.Uint64())/(1<<20))
			select {
			case <-stop:
				largest <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 {
		close(stop)
		return <-largest
	}
}
