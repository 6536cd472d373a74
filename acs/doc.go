// Package acs is the stateful edge of one Region: it takes SAML responses from
// browsers, has package saml judge them, and lets each in at most once.
//
//	region, err := acs.NewRegion(acs.RegionConfig{
//		SP:      sp, // the same saml.ServiceProvider in every Region
//		Region:  "eu-central-1",
//		Store:   acs.NewMemoryStore(), // or one that the Region's nodes share
//		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
//			startSession(w, l.Assertion.NameID().Value)
//			http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
//		},
//	})
//	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
//
// A response goes through four rooms. [Consumer.ServeHTTP] takes the form and
// this browser's request cookies. Verify of package saml reads the message and
// checks every rule. Then the [Store] is asked: a response that answers a
// request uses up that request's record, which only the browser that made the
// request can name; and every assertion is recorded, and refused if it was
// recorded before. Then OnLogin is called. A response that Verify refuses uses
// up nothing, and if the store can't answer, nobody gets in.
//
// A consumer serves exactly one ACS URL, and an assertion is good for exactly
// one. So no two Regions need share a store, and sign-in makes no call that
// leaves the Region.
//
// The person sees one sentence, a reference and "Sign in again". Why a
// response was refused is in the log, under that reference.
package acs
