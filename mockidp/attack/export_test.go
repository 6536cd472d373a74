package attack

import "strings"

// Rows lists the whole catalogue in order.
func Rows() []Row { return read().rows }

// Stage returns the time of c's attack, as the beginning of a sentence. It is
// empty if the difference from the twin is not a complete description.
func (c Case) Stage() (when string, byText bool) {
	if c.attack[setup] != nil || c.attack[inside] != nil || c.attack[sealed] != nil || c.Needs.Encrypted || c.twin != nil {
		return "", false
	}
	return stageOf(c.attack)
}

// Stage is like [Case.Stage].
func (c MetadataCase) Stage() (when string, byText bool) {
	if len(c.Pinned) > 0 {
		return stageOf(c.attack)
	}
	return "In the document", false
}

// Stage is like [Case.Stage].
func (c LogoutCase) Stage() (when string, byText bool) {
	if c.attack[setup] != nil || c.attack[inside] != nil || c.attack[sealed] != nil || c.Encrypted {
		return "", false
	}
	return stageOf(c.attack)
}

// Stage is like [Case.Stage].
func (c ArtifactCase) Stage() (when string, byText bool) {
	a := c.attack
	if a[around] != nil && a[before] == nil && a[text] == nil {
		return "In the answer", false
	}
	if c.Brought || a[around] != nil || a[setup] != nil || c.Needs.Encrypted {
		return "", false
	}
	return stageOf(a)
}

// Stage is like [Case.Stage].
func (c AttributeCase) Stage() (when string, byText bool) {
	if c.attack[setup] != nil {
		return "", false
	}
	return stageOf(c.attack)
}

func stageOf(a change) (when string, byText bool) {
	if a[posted] != nil {
		return "", false
	}
	switch [4]bool{a[before] != nil, a[signed] != nil, a[after] != nil, a[text] != nil} {
	case [4]bool{true, false, false, false}:
		return "Before signing", false
	case [4]bool{true, true, false, false}:
		return "Before signing and in the signature", false
	case [4]bool{false, true, false, false}:
		return "In the signature", false
	case [4]bool{false, false, true, false}:
		return "After signing", false
	case [4]bool{false, false, false, true}:
		return "After signing", true
	}
	return "", false
}

// Mistakes lists the definitions, steps and values that catalogue.txt does not
// use, and the names in it that have no value.
func Mistakes() []string {
	c, count, out := read(), make(map[string]int), []string(nil)
	known := func(name string) bool {
		return values[name] != nil || ofOld[name] != nil || strings.Contains(name, "@") || part.MatchString(name)
	}
	for line := range strings.Lines(catalogueText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, step := range words(strings.TrimSuffix(line, "\n")) {
			for _, word := range step {
				count[word]++
			}
		}
		for _, m := range placeholder.FindAllStringSubmatch(line, -1) {
			count["%"+m[3]+"%"]++
		}
		for _, m := range placeholder.FindAllStringSubmatch(c.text(line), -1) {
			if m[2] == "" && m[3] != "25" && !known(m[3]) {
				out = append(out, m[3])
			}
		}
	}
	for name := range steps {
		count[name]++
	}
	for name := range values {
		count["%"+name+"%"]++
		if count["%"+name+"%"] == 1 {
			out = append(out, name)
		}
	}
	for name, n := range count {
		if n == 1 && (c.texts[name] != "" || c.macros[name] != "" || steps[name].do != nil) {
			out = append(out, name)
		}
	}
	return out
}
