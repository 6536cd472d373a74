package main

import (
	"fmt"
	"strconv"
	"strings"
)

// inFlags makes an error about a field of package mockidp one about the flag
// that filled it, or about the file of -config.
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
	for _, v := range o.values() {
		if v.value != "" && strings.Contains(text, strconv.Quote(v.value)) {
			return fmt.Errorf("%s: %s", v.flag, text)
		}
	}
	if o.config != "" {
		return fmt.Errorf("-config %s: %s", o.config, text)
	}
	return err
}

// values are what flags say of apps, people and attacks.
func (o *options) values() (out []struct{ flag, value string }) {
	add := func(flag string, values ...string) {
		for _, v := range values {
			out = append(out, struct{ flag, value string }{flag, v})
		}
	}
	for _, f := range o.faults {
		add("-fault", f.App)
	}
	for _, a := range o.control.attack {
		add("-attack", a.App, a.User, a.ID)
	}
	add("-provision-app", o.control.provisionApp)
	return out
}
