package xmltree

// ParseFragment reads what was encrypted: an element by itself, with the
// namespaces in scope at around, which becomes its place. Its IDs must be unique
// in the documents around it too.
//
// A canonical form only has the declarations that are visibly used. So the
// others around a ciphertext can be changed without breaking a signature over
// it; ParseFragment is for what carries a signature of its own, whose canonical
// form then has those that it uses.
func ParseFragment(fragment []byte, limits Limits, around Node) (*Doc, error) {
	return parse(string(fragment), limits, around, Node{})
}

// ParseSigned is ParseFragment for what a signature covers as ciphertext only.
// It has in scope what elements from signed down to around visibly use, which
// that signature covers too, and nothing else.
func ParseSigned(fragment []byte, limits Limits, around, signed Node) (*Doc, error) {
	return parse(string(fragment), limits, around, signed)
}

// surround puts what is in scope around a fragment into scope.
func (r *reader) surround(around, signed Node) {
	var chain []Node
	for n := around; n.OK(); n = n.Parent() {
		chain = append(chain, n)
		if n == signed {
			break
		}
	}
	in := around.d
	bind := func(prefix Prefix, ns NS) {
		p := r.prefix(in.PrefixText(prefix))
		r.scope[p] = NS(r.d.uris.number(in.URI(ns)))
		r.d.context = append(r.d.context, Decl{Prefix: p, NS: r.scope[p]})
	}
	if !signed.OK() {
		for _, decl := range in.context {
			bind(decl.Prefix, decl.NS)
		}
	}
	for i := len(chain) - 1; i >= 0; i-- {
		n := chain[i]
		if !signed.OK() {
			for _, decl := range n.Decls() {
				bind(decl.Prefix, decl.NS)
			}
			continue
		}
		bind(n.Prefix(), n.NS())
		for i := range n.Len() {
			if a := n.AttrAt(i); a.Prefix > XMLPrefix {
				bind(a.Prefix, a.NS)
			}
		}
	}
}
