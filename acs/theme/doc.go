// Package theme gives the pages of a service provider its own name, logo, colors and languages. Packages portal,
// failover, discovery and middleware share it:
//
//	look := theme.Config{
//		Name: "Example sign-in", Colors: theme.Colors{Accent: "#7a1f5c"}, Support: "mailto:help@example.com",
//	}
//	p, err := portal.New(portal.Config{Theme: look, ...})
//	t, err := theme.New(look)
//	guard, err := middleware.New(middleware.Config{Config: acs.Config{PageLook: t.PageLook, ...}, ...})
//
// # Texts
//
// A text's key is its English form, as in gettext. A catalog is a JSON file with the name of its language, such as
// "de.json" or "pt-BR.json". It maps keys to translations:
//
//	{
//		"Sign in again": "Erneut anmelden",
//		"Continue as %s?": "Als %s fortfahren?",
//		"%d accounts": {"one": "%d Konto", "other": "%d Konten"}
//	}
//
// The values of a text are those of package fmt. A translation has the same ones, and may change their order with
// "%[2]s". The forms of a plural depend on the first value; their names are those of CLDR ("zero", "one", "two", "few",
// "many", "other"). A key without a translation is shown in English. A catalog "en.json" changes the English texts.
//
// The browser chooses the language (Accept-Language, RFC 9110 12.5.4). So a new language needs a file and no code.
package theme
