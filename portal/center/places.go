package center

import (
	"math"
	"slices"
)

// Place is a Region that an instance can be extended to, and where it is.
type Place struct {
	Name string // such as eu-central-1
	Site string // such as Frankfurt
	// Country is the country that the Region lies in, by its two letters (ISO 3166-1), and Area a wider area whose law
	// counts there, such as EU. Empty: none.
	Country, Area       string
	latitude, longitude float64 // in degrees, of the place that Site names
}

// Label returns the name that pages and identity providers show, such as "Frankfurt (eu-central-1)".
func (p Place) Label() string { return p.Site + " (" + p.Name + ")" }

// Places returns the 17 commercial Regions that each account has enabled by default, sorted by name. An instance can
// have only these, its primary Region included.
func Places() []Place { return slices.Clone(places) }

// PlaceOf returns the place with the name of a Region.
func PlaceOf(region string) (Place, bool) {
	i := slices.IndexFunc(places, func(p Place) bool { return p.Name == region })
	if i < 0 {
		return Place{}, false
	}
	return places[i], true
}

// places never changes.
var places = []Place{
	{"ap-northeast-1", "Tokyo", "JP", "", 35.7, 139.7},
	{"ap-northeast-2", "Seoul", "KR", "", 37.6, 127.0},
	{"ap-northeast-3", "Osaka", "JP", "", 34.7, 135.5},
	{"ap-south-1", "Mumbai", "IN", "", 19.1, 72.9},
	{"ap-southeast-1", "Singapore", "SG", "", 1.4, 103.8},
	{"ap-southeast-2", "Sydney", "AU", "", -33.9, 151.2},
	{"ca-central-1", "Montreal", "CA", "", 45.5, -73.6},
	{"eu-central-1", "Frankfurt", "DE", "EU", 50.1, 8.7},
	{"eu-north-1", "Stockholm", "SE", "EU", 59.3, 18.1},
	{"eu-west-1", "Dublin", "IE", "EU", 53.3, -6.3},
	{"eu-west-2", "London", "GB", "", 51.5, -0.1},
	{"eu-west-3", "Paris", "FR", "EU", 48.9, 2.4},
	{"sa-east-1", "Sao Paulo", "BR", "", -23.6, -46.6},
	{"us-east-1", "Virginia", "US", "", 38.9, -77.5},
	{"us-east-2", "Ohio", "US", "", 40.0, -83.0},
	{"us-west-1", "California", "US", "", 37.4, -121.9},
	{"us-west-2", "Oregon", "US", "", 45.9, -119.3},
}

// optIn are the commercial Regions that an account must opt in to. They are refused, with a reason of their own.
var optIn = []string{
	"af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
	"ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1",
	"me-central-1", "me-south-1", "mx-central-1",
}

// checkPlace refuses a Region that an instance can't have.
func checkPlace(region string) *Error {
	const rule, want = "Region", "one of the 17 commercial Regions that are enabled by default"
	switch _, known := PlaceOf(region); {
	case known:
		return nil
	case slices.Contains(optIn, region):
		return &Error{Reason: ReasonOptInRegion, Rule: rule, Want: want, Got: region}
	}
	return &Error{Reason: ReasonUnsupportedRegion, Rule: rule, Want: want, Got: region}
}

// kilometres returns the length of the great circle between two places, to the kilometre.
func (p Place) kilometres(to Place) int {
	rad := func(deg float64) float64 { return deg * math.Pi / 180 }
	a, b := rad(p.latitude), rad(to.latitude)
	sin := func(x float64) float64 { return math.Sin(x/2) * math.Sin(x/2) }
	h := sin(b-a) + math.Cos(a)*math.Cos(b)*sin(rad(to.longitude-p.longitude))
	return int(math.Round(2 * 6371 * math.Asin(math.Sqrt(min(1, h)))))
}
