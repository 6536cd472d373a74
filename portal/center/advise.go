package center

import (
	"context"
	"slices"
	"strings"
)

// Wish is what an operator wants of an additional Region.
type Wish struct {
	// Near is the Region, of the 17, that most users are near to. Empty: the primary.
	Near string
	// In are the countries or areas that data must stay in, such as DE or EU: see Place. Empty: anywhere.
	In []string
	// Applications are to be deployed there. Their Region has no effect.
	Applications []Application
}

// Advice is a Region and what speaks for and against it.
type Advice struct {
	Candidate
	Kilometres int // from Wish.Near
	Resides    bool
	// Unsupported are the names of the applications that don't work there.
	Unsupported []string
}

// Advise ranks all 17 Regions: first those that can be added now and meet the wish, then by what they lack. Data that
// must stay somewhere comes before applications, and these before distance.
func (a Admission) Advise(ctx context.Context, s *Snapshot, w Wish) []Advice {
	near, ok := PlaceOf(w.Near)
	if !ok {
		near, ok = PlaceOf(s.regionList[0].Name)
	}
	var out []Advice
	for _, c := range a.Candidates(ctx, s) {
		one := Advice{Candidate: c, Resides: len(w.In) == 0}
		if ok {
			one.Kilometres = near.kilometres(c.Place)
		}
		for _, in := range w.In {
			one.Resides = one.Resides || in != "" && (in == c.Place.Country || in == c.Place.Area)
		}
		for _, app := range w.Applications {
			app.Region = c.Place.Name
			if s.deployable(app) != nil {
				one.Unsupported = append(one.Unsupported, app.Name)
			}
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(x, y Advice) int {
		rank := func(a Advice) (r [4]int) {
			if a.Err != nil {
				r[0] = 1
			}
			if !a.Resides {
				r[1] = 1
			}
			r[2], r[3] = len(a.Unsupported), a.Kilometres
			return r
		}
		rx, ry := rank(x), rank(y)
		return slices.Compare(rx[:], ry[:])
	})
	return out
}

// Text returns the reasons of an Advice as one line.
func (a Advice) Text() string {
	var why []string
	if a.Err != nil {
		why = append(why, "can't be added now")
	}
	if !a.Resides {
		why = append(why, "outside the area where data must stay")
	}
	if len(a.Unsupported) > 0 {
		why = append(why, "doesn't support "+strings.Join(a.Unsupported, ", "))
	}
	if len(why) == 0 {
		return "suitable"
	}
	return strings.Join(why, "; ")
}
