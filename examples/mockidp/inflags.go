package main

import (
	"fmt"
	"strconv"
	"strings"
)

// inFlags rewrites an error about a field of package mockidp as one about the flag that filled it, or about the
// file of -config.
func (o *options) inFlags(err error) error {
	text := strings.TrimPrefix(err.Error(), "mockidp: ")
	for _, f := range []struct{ field, flag string }{
		{"scimpush.Config.BaseURL", "-provision"},
		{"Config.BaseURL", "-base-url"},
		{"Fault", "-fault"},
	} {
		if strings.Contains(text, f.field) {
			return fmt.Errorf("%s: %s", f.flag, strings.NewReplacer(f.field+".", "", f.field, "it").Replace(text))
		}
	}
	names := func(values ...string) bool {
		for _, v := range values {
			if v != "" && strings.Contains(text, strconv.Quote(v)) {
				return true
			}
		}
		return false
	}
	for _, f := range o.faults {
		if names(f.App) {
			return fmt.Errorf("-fault: %s", text)
		}
	}
	for _, a := range o.control.attack {
		if names(a.App, a.User, a.ID) {
			return fmt.Errorf("-attack: %s", text)
		}
	}
	switch {
	case names(o.control.provisionApp):
		return fmt.Errorf("-provision-app: %s", text)
	case o.config != "":
		return fmt.Errorf("-config %s: %s", o.config, text)
	}
	return err
}
