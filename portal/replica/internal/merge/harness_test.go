package merge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

const (
	virginia  = "us-east-1" // the primary
	frankfurt = "eu-central-1"
	mumbai    = "ap-south-1"
)

var regions = []string{virginia, frankfurt, mumbai}

var base = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// after is so many minutes later.
func after(minutes int) time.Time { return base.Add(time.Duration(minutes) * time.Minute) }

// An arrival is one record of a Region: a whole transaction, or an entry.
type arrival struct {
	region string
	tx     *merge.Transaction
	kind   merge.EntryKind
	entry  merge.Entry
}

// A region is what one Region knows.
type region struct {
	dir      *merge.Directory
	sessions *merge.Sessions
}

func newRegion(name string) *region {
	return &region{merge.NewDirectory(virginia), merge.NewSessions(name, virginia)}
}

// hear takes an arrival in, and returns the names that it touched. What the
// Region that wrote it may not say is refused, and changes nothing.
func (r *region) hear(a arrival) []merge.Name {
	if a.tx == nil {
		_ = r.sessions.Take(a.region, a.kind, a.entry)
		return nil
	}
	r.sessions.Enforce(a.region, *a.tx)
	return r.dir.Fold(a.region, *a.tx)
}

// know takes arrivals in and shows what each one changes.
func (r *region) know(all ...arrival) *region {
	for _, a := range all {
		r.dir.Changes(r.hear(a))
	}
	return r
}

// state is all that the Region knows, as text.
func (r *region) state() map[string]string {
	out := map[string]string{}
	put := func(key string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			b = []byte(err.Error())
		}
		if was, twice := out[key]; twice {
			b = fmt.Appendf(nil, "twice: %s", was)
		}
		out[key] = string(b)
	}
	for _, f := range append(r.dir.Facts(), r.sessions.Facts()...) {
		put(f.Key, []any{f.Until, f.Value})
	}
	for _, c := range r.dir.Records() {
		put(fmt.Sprintf("shown %s %s", c.Kind, c.Key), string(c.Value))
	}
	from, what, unread := r.sessions.Unread()
	put("unread", []any{from, what, unread})
	for _, name := range regions {
		what, unread := r.dir.Unread(name)
		put("unread of "+name, []any{what, unread})
		entry, stamp, listed := r.dir.Entry(name)
		put("of "+name, []any{r.dir.Complete(name), r.dir.Last(name), r.dir.Replicated(name), entry, stamp, listed})
	}
	for i := range keys {
		v, ok := r.sessions.Get(key(i))
		v.Seen = time.Time{} // moves only where the session is known
		put("get "+key(i), []any{v, ok})
		c, ok := r.sessions.Code(key(i))
		put("code "+key(i), []any{c, ok})
	}
	return out
}

// said is what is known by a Region's own word.
func (r *region) said(name string) map[string]string {
	out := map[string]string{}
	for _, f := range append(r.dir.Facts(), r.sessions.Facts()...) {
		what, _, _ := strings.Cut(f.Key, " ")
		switch v := f.Value; {
		case what == "epoch":
			for _, component := range []string{name, name + "/directory"} {
				if n := v.(map[string]uint64)[component]; n > 0 {
					out[f.Key+" "+component] = fmt.Sprint(n)
				}
			}
		case strings.HasPrefix(f.Key, "log "+name+" "):
			b, _ := json.Marshal(v)
			out[f.Key] = string(b)
		case strings.HasPrefix(f.Key, "session "+name+" "):
			b, _ := json.Marshal(v.([]any)[0]) // not whether it is over
			out[f.Key] = string(b)
		}
	}
	return out
}

// mayNotSay returns what is not the Region's to say, and was taken in.
func mayNotSay(name string, said map[string]string) (out []string) {
	for k, v := range said {
		// kept, and not shown
		own := strings.HasPrefix(k, "log "+name+" replicated "+name) || strings.HasPrefix(k, "log "+name+" unknown ") ||
			strings.HasPrefix(k, "log "+name+" application ") && strings.Contains(v, fmt.Sprintf(`"region":%q`, name))
		switch {
		case name == virginia && !strings.Contains(k, " application ") && !strings.Contains(k, " replicated "):
		case strings.HasPrefix(k, "log ") && !own, strings.HasSuffix(k, "/directory"):
			out = append(out, k+": "+v)
		case strings.HasPrefix(k, "session ") && !strings.Contains(v, fmt.Sprintf(`"region":%q`, name)):
			out = append(out, k+": "+v)
		}
	}
	return out
}

// keys is how many keys, users and so on there are: few, so that things meet.
const keys = 3

func key(i int) string  { return fmt.Sprintf("key-%d", i) }
func user(i int) string { return fmt.Sprintf("u-%d", i) }

// differences is what two Regions don't know alike.
func differences(a, b *region) []string { return unlike(a.state(), b.state()) }

// unlike is what differs in two maps.
func unlike(one, two map[string]string) (out []string) {
	for k, v := range one {
		if two[k] != v {
			out = append(out, fmt.Sprintf("%s: %q, %q", k, v, two[k]))
		}
	}
	for k, v := range two {
		if _, known := one[k]; !known {
			out = append(out, fmt.Sprintf("%s: \"\", %q", k, v))
		}
	}
	slices.Sort(out)
	return out
}

func same(t require.TestingT, a, b *region) { require.Empty(t, differences(a, b)) }

// primary is a transaction of the primary.
func primary(stamp uint64, full bool, records []merge.Record) arrival {
	return arrival{region: virginia, tx: &merge.Transaction{Stamp: stamp, Full: full, Records: records}}
}
