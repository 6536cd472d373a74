package scim_test

import (
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/meridian-saml/meridian/portal/center"
)

// company is an instance with users and groups of 20.
func company(users, groups int) center.Data {
	d := empty()
	for i := range users {
		u := person(i)
		u.ID = fmt.Sprintf("u-%d", i)
		d.Users = append(d.Users, u)
	}
	for i := range groups {
		g := center.Group{ID: fmt.Sprintf("g-%d", i), Name: fmt.Sprintf("Group %d", i)}
		for m := range 20 {
			g.Members = append(g.Members, fmt.Sprintf("u-%d", (i*20+m)%users))
		}
		d.Groups = append(d.Groups, g)
	}
	return d
}

func sizes(b *testing.B, f func(b *testing.B, r *rig, users int)) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("%d users", n), func(b *testing.B) {
			r := newRig(b, company(n, n/20), "us-east-1")
			b.ReportAllocs()
			b.ResetTimer()
			f(b, r, n)
		})
	}
}

// BenchmarkPatch is one client that changes users one after another.
func BenchmarkPatch(b *testing.B) {
	sizes(b, func(b *testing.B, r *rig, users int) {
		for i := 0; b.Loop(); i++ {
			body := fmt.Sprintf(`{"Operations":[{"op":"replace","value":{"displayName":"Name %d"}}]}`, i)
			w := httptest.NewRecorder()
			r.ServeHTTP(w, request("PATCH", fmt.Sprintf("/Users/u-%d", i%users), body))
			if w.Code != 200 {
				b.Fatal(w.Body)
			}
		}
	})
}

// BenchmarkPatchTogether is 16 concurrent clients, which share updates.
func BenchmarkPatchTogether(b *testing.B) {
	sizes(b, func(b *testing.B, r *rig, users int) {
		var n atomic.Int64
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				i := int(n.Add(1))
				body := fmt.Sprintf(`{"Operations":[{"op":"replace","value":{"displayName":"Name %d"}}]}`, i)
				w := httptest.NewRecorder()
				r.ServeHTTP(w, request("PATCH", fmt.Sprintf("/Users/u-%d", i%users), body))
				if w.Code != 200 {
					b.Error(w.Body)
				}
			}
		})
	})
}

// BenchmarkLookup is the search before every creation.
func BenchmarkLookup(b *testing.B) {
	sizes(b, func(b *testing.B, r *rig, users int) {
		for i := 0; b.Loop(); i++ {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, request("GET", "/Users?"+filter(fmt.Sprintf(`userName eq "user%d@example.com"`, i%users)), ""))
			if w.Code != 200 {
				b.Fatal(w.Body)
			}
		}
	})
}

// BenchmarkLookupAfterChange is a push: a search and a change, one after another.
func BenchmarkLookupAfterChange(b *testing.B) {
	sizes(b, func(b *testing.B, r *rig, users int) {
		for i := 0; b.Loop(); i++ {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, request("GET", "/Users?"+filter(fmt.Sprintf(`userName eq "user%d@example.com"`, i%users)), ""))
			body := fmt.Sprintf(`{"Operations":[{"op":"replace","value":{"displayName":"Name %d"}}]}`, i)
			r.ServeHTTP(w, request("PATCH", fmt.Sprintf("/Users/u-%d", i%users), body))
			if w.Code != 200 {
				b.Fatal(w.Body)
			}
		}
	})
}

// BenchmarkAt100000People measures single requests at an instance of 100,000 people: searches, changes of one user, and
// pages of a list that changes meanwhile.
func BenchmarkAt100000People(b *testing.B) {
	r := newRig(b, company(100_000, 5_000), "us-east-1")
	do := func(b *testing.B, method, path, body string, want int) {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, request(method, path, body))
		if w.Code != want {
			b.Fatal(w.Body)
		}
	}
	search := func(path, format string) func(b *testing.B, i int) {
		return func(b *testing.B, i int) { do(b, "GET", path+filter(fmt.Sprintf(format, i%5_000)), "", 200) }
	}
	rename := func(b *testing.B, i int) {
		body := fmt.Sprintf(`{"Operations":[{"op":"replace","value":{"userName":"new%d","externalId":"%d"}}]}`, i, i)
		do(b, "PATCH", fmt.Sprintf("/Users/u-%d", i%1_000), body, 200)
	}
	made := 0
	for _, c := range []struct {
		name string
		f    func(b *testing.B, i int)
	}{
		{"userName eq", search("/Users?", `userName eq "user%d@example.com"`)},
		{"externalId eq", search("/Users?", `externalId eq "00u%d"`)},
		{"emails.value eq", search("/Users?", `emails.value eq "user%d@example.com"`)},
		{"displayName eq, a group", search("/Groups?", `displayName eq "Group %d"`)},
		{"members.value eq", search("/Groups?", `members.value eq "u-%d"`)},
		{"userName co", search("/Users?", `userName co "user%d@example"`)},
		{"PATCH userName and externalId", rename},
		{"POST", func(b *testing.B, _ int) {
			made++
			body := fmt.Sprintf(`{"userName":"made%d@example.com","externalId":"m%d"}`, made, made)
			do(b, "POST", "/Users", body, 201)
		}},
		{"page of a list", func(b *testing.B, i int) {
			do(b, "GET", fmt.Sprintf("/Users?startIndex=%d", i%90_000), "", 200)
		}},
		{"page of a list after a change", func(b *testing.B, i int) {
			rename(b, i)
			do(b, "GET", fmt.Sprintf("/Users?startIndex=%d", i%90_000), "", 200)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.f(b, i)
			}
		})
	}
}
