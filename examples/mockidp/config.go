package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
)

// load reads the file of -config, which CONFIG.md documents, or the text of -config-json.
func load(path, text string) (c mockidp.Config, err error) {
	raw, from := []byte(text), "-config-json"
	switch {
	case path != "":
		from = "-config " + path
		if raw, err = os.ReadFile(path); err != nil {
			return c, fmt.Errorf("-config: %w", err)
		}
	case text == "":
		return c, nil
	}
	if c, err = configfile.Read(raw); err != nil {
		return c, fmt.Errorf("%s: %s", from, strings.TrimPrefix(err.Error(), "mockidp: "))
	}
	return c, nil
}

// print prints the file for a configuration.
func (o *options) print(ctx context.Context, c mockidp.Config, out io.Writer) error {
	idp, err := mockidp.Open(c)
	if err != nil {
		return o.inFlags(err)
	}
	err = o.addSPFiles(idp)
	if err == nil {
		err = o.addSPURLs(ctx, idp, io.Discard)
	}
	if err != nil {
		return err
	}
	doc, err := configfile.Write(idp.Config(), configfile.Options{})
	if err == nil {
		_, err = out.Write(doc)
	}
	return err
}
