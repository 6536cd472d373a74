package oktaapi

import (
	"net/http"
)

// confirmView asks before something is lost. GET shows it, and its form carries it out by POST at the same path.
type confirmView struct {
	Text   string   // what is lost
	Items  []string // in detail
	Action string   // the path that the form posts to, without the root
	Button string
	Back   string            // the path that Cancel leads to
	Fields map[string]string // what the form sends
	File   bool              // they are large
}

func (v *visit) confirm(here, title string, c confirmView) {
	v.render(http.StatusOK, "confirm", page{Title: title, Here: here, Body: c})
}
