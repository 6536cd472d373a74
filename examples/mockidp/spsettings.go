package main

import (
	"flag"
	"fmt"

	"github.com/meridian-saml/meridian/mockidp"
)

// spSettings are settings of the apps that -sp-metadata makes.
type spSettings struct {
	responses  mockidp.ResponseBinding
	channel    mockidp.LogoutChannel
	attributes bool
}

func (o *spSettings) flags(fs *flag.FlagSet) {
	fs.Func("responses", "`WAY` in which service providers of -sp-metadata get responses: post, artifact or artifactForm; "+
		"LOGOUT.md documents it (default post)",
		oneOf(&o.responses, "post", "artifact", "artifactForm"))
	fs.Func("logout", "`WAY` in which they are told of a logout: front, back (by SOAP) or frame (default front)",
		oneOf(&o.channel, "front", "back", "frame"))
	fs.BoolVar(&o.attributes, "attribute-queries", false, "answer their attribute queries")
}

// oneOf returns a flag's function that sets the constant whose word it gets. The words are in the order of the
// constants.
func oneOf[T ~int](to *T, words ...string) func(string) error {
	return func(s string) error {
		for i, word := range words {
			if s == word {
				*to = T(i)
				return nil
			}
		}
		return fmt.Errorf("want one of %q, got %.40q", words, s)
	}
}

// apply changes apps that were made from metadata.
func (o *spSettings) apply(idp *mockidp.Server, apps []mockidp.App) error {
	if *o == (spSettings{}) {
		return nil
	}
	for _, app := range apps {
		err := idp.UpdateApp(app.ID, func(a *mockidp.App) error {
			a.ResponseBinding, a.LogoutChannel, a.AttributeQueries = o.responses, o.channel, o.attributes
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
