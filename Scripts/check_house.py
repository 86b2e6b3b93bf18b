#!/usr/bin/env python3
"""Finds circles between the targets, between the folders of a target and between the files of a target.

The script reads the Swift and C sources below Sources, lists the names that each file defines and uses, and prints each circle
with the names that make it. It also refuses imports that the table of targets does not allow and Swift files of more than
400 lines (*.pb.swift excepted). It refuses Foundation, which would link 40 MB of ICU into the packaged program: FoundationEssentials is
allowed, and in VidTestSupport, which is not in the program, all of Foundation.
It exits with 1 if it finds any of these.

Conventions
- Foo.swift and the files Foo+*.swift of its folder are one unit: one type, written in several files.
- A folder below a folder is a folder of its own, and so is a file at the top of a target.
- A C file and its header (pooling.c, include/vc_pooling.h) are one unit. C files depend on each other by #include.
- A type counts wherever it is named, also by `extension`. A member counts where the type before its dot is known from what is
  written. Elsewhere a member counts only if a single file has one of this name and it is a static member that is used without its
  type (`.foo`), or extends a type from outside of the project (such as String).
- Other files do not see private names. Labels of arguments, parameters and local variables are not uses.

After each printed circle its weakest edge (the one of the fewest names, printed after the circle) is taken away and the search goes
on. Without these edges no circle is left; breaking a circle at another edge can bring up one that was not printed.
"""
import argparse
import collections
import pathlib
import re
import sys
import tempfile

MAXIMUM_LINES = 400
REASONS_SHOWN = 12

# What each target may import: the names listed and, for Swift targets, what those may import in turn.
ALLOWED = {
    "VidSystem": "CLinux COpenSSL",
    "VidTensor": "CKernels COpenBLAS VidSystem",
    "VidConfig": "VidSystem",
    "VidModel": "VidTensor VidConfig",
    "VidData": "VidTensor VidConfig CZlib CMedia",
    "VidCluster": "VidTensor CClusterPlugin",
    "VidTrain": "VidModel VidData VidCluster",
    "VidCheckpoint": "VidTrain CHDF5 CCurl",
    "VidExport": "VidTrain VidCheckpoint CHDF5",
    "VidReport": "VidTrain CCairo",
    "VidRun": "VidCheckpoint VidExport VidReport",
    "vidclass": "VidRun CKernelChoice CCommit",
    "VidClassKit": "VidRun",
    "VidClassC": "VidClassKit CVidClass",
    "VidFuzz": "VidCheckpoint CKernelChoice",
    "VidTestSupport": "VidCheckpoint CKernels CKernelChoice CReferenceKernels",
    "CKernels": "COpenBLAS",
    "CReferenceKernels": "CKernels",
    "CHDF5": "CLazyLibrary", "CMedia": "CLazyLibrary", "CCairo": "CLazyLibrary", "CCurl": "CLazyLibrary",
    "CLinux": "CSeccomp",
    "CMPI": "CClusterPlugin",
    "CVidClass": "", "CKernelChoice": "", "CClusterPlugin": "", "CSeccomp": "", "COpenBLAS": "", "COpenSSL": "", "CZlib": "", "CLazyLibrary": "", "CCommit": "",
}

# Names of the standard library that are written without their type, such as `.rounded(.up)`.
COMMON = set("""subscript up down toNearestOrEven toNearestOrAwayFromZero towardZero awayFromZero zero one pi infinity nan max min none
    some default now seconds milliseconds microseconds nanoseconds utf8 relaxed acquiring releasing sequentiallyConsistent""".split())

# --------------------------------------------------------------------------------------------------------------------- tokens

# A token's kind is id, number, string, mark or end; `newline` and `space` tell what is before it.
Token = collections.namedtuple("Token", "kind text line newline space")
TOKEN = re.compile(
    r'(?P<space>[ \t\r\n]+|//[^\n]*)|(?P<comment>/\*)|(?P<string>(?P<hashes>#*)(?P<quote>"""|"))|(?P<id>[$A-Za-z_]\w*|`[^`\n]+`)'
    r"|(?P<number>[0-9](?:\w|\.(?=[0-9]))*)|(?P<mark>->|\.\.\.|\.\.<|[-+*/%=!<>&|^]=|&&|\|\||\?\?|.)")


def lex(text):
    """The tokens of Swift code. The code in a string's interpolations follows the string, in parentheses."""
    tokens, strings, i, line, depth, newline, space = [], [], 0, 1, 0, True, True
    while i < len(text):
        match = TOKEN.match(text, i)
        kind, found = match.lastgroup if match["quote"] is None else "string", match[0]
        end = match.end()
        if kind == "comment":
            level = 0
            for mark in re.compile(r"/\*|\*/").finditer(text, i):
                level += 1 if mark[0] == "/*" else -1
                if level == 0:
                    break
            end = mark.end()
        if kind in ("space", "comment"):
            newline, space = newline or "\n" in text[i:end], True
            line += text.count("\n", i, end)
            i = end
            continue
        depth += {"(": 1, ")": -1}.get(found, 0)
        is_string = kind == "string"
        if strings and found == ")" and depth == strings[-1][2]:  # the end of an interpolation
            hashes, quote, _ = strings.pop()
            is_string = True
        elif is_string:
            hashes, quote = match["hashes"], match["quote"]
        tokens.append(Token(kind, found.strip("`"), line, newline, space))
        i, newline, space = end, False, False
        if is_string:  # goes to the end of the string or to its next interpolation
            part = re.compile(rf'(?s:(?!{quote}{hashes})(?:\\{hashes}[^(]|(?!\\{hashes}\().))*').match(text, i)
            line += part[0].count("\n")
            i = part.end() + len(quote + hashes)
            if text.startswith("\\" + hashes + "(", part.end()):
                i = part.end() + len(hashes) + 2
                tokens.append(Token("mark", "(", line, False, False))
                strings.append((hashes, quote, depth))
                depth += 1
    return tokens + [Token("end", "", line, True, True)]


# ------------------------------------------------------------------------------------------------------- definitions and uses

# A type, alias, func, init, var or case. `owner` is the path of the type whose member it is; () = global. `value` is the written type
# of its value or result: ("type", path, context, parser), ("array", written type), ("chain", use), ("element", written type)
# or None = unknown.
Definition = collections.namedtuple("Definition", "kind name owner parser line private static value")

# A chain of names such as `loader.sampler.text(...)` in the type of the path `context`. `base` is "name", "self", "implicit" (`.name`),
# "unknown", or a tuple of the written type of a local variable. `names` are (name, line, is called); "subscript" stands for `[...]`.
Use = collections.namedtuple("Use", "base names context parser")

TYPES = {"struct", "class", "enum", "protocol", "actor", "extension"}
DECLARATIONS = TYPES | {"func", "init", "subscript", "let", "var", "typealias", "associatedtype", "case", "import"}
MODIFIERS = set("""public package internal private fileprivate open static class final override mutating nonmutating nonisolated lazy weak
    unowned convenience required indirect dynamic consuming borrowing isolated""".split())
WORDS = set("""as async await break catch consume continue copy default defer deinit do each else error fallthrough false for get guard if
    import in inout is let newValue nil oldValue operator repeat rethrows return set some any switch throw throws true try var where while
    willSet didSet yield case _""".split())
DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
TYPE_PREFIXES = {"inout", "some", "any", "borrowing", "consuming", "sending", "isolated", "(", "@", "escaping", "Sendable", "autoclosure"}


class Frame:
    """The block or brackets that are being read, and the modifiers of the declaration to come."""

    def __init__(self, kind):
        self.kind, self.modifiers = kind, set()


class Parser:
    """Reads the definitions, uses, inherited types (path, written type) and imports of a Swift file."""

    def __init__(self, module, file):
        self.module, self.file, self.text = module, file, file.read_text()
        self.tokens, self.i, self.scopes, self.context, self.private = lex(self.text), 0, [{}], (), False
        self.definitions, self.uses, self.inherits, self.imports = [], [], [], []
        self.until(Frame("file"))
        if self.tok.kind != "end" or sum(DEPTH.get(token.text, 0) for token in self.tokens):
            sys.exit(f"{file}:{self.tok.line}: this script does not understand the file: it finds brackets that do not match")

    @property
    def tok(self):
        return self.tokens[self.i]

    def ahead(self, count=1):
        return self.tokens[min(self.i + count, len(self.tokens) - 1)]

    def next(self):
        token = self.tok
        self.i += token.kind != "end"
        return token

    def accept(self, *texts):
        """Passes over the next token if it is one of these."""
        return self.next() if self.tok.text in texts and self.tok.kind != "end" else None

    def until(self, frame, names=None):
        """Reads up to and with the next closing bracket; `names` are the local names of a new scope."""
        self.scopes.append({} if names is None else names)
        while self.tok.kind != "end" and self.tok.text not in (")", "]", "}"):
            self.element(frame)
        self.scopes.pop()
        if frame.kind != "file":
            self.next()

    def element(self, frame):
        """Reads a declaration, a chain of names, a bracket, or one other token."""
        token, text, following = self.tok, self.tok.text, self.ahead()
        is_block = frame.kind not in ("(", "[")
        if text == "#" and following.text in ("if", "elseif", "else", "endif"):
            self.i += 2
            while not self.tok.newline:
                self.next()
        elif text == "{":
            self.next()
            self.until(Frame("code"), self.closure())
        elif text in ("(", "["):
            self.next()
            self.until(Frame(text), self.scopes[-1])
        elif text == "." and following.kind == "id":
            before = self.tokens[self.i - 1]
            is_value = before.text in (")", "]", "}", "?", "!", ">") or before.kind != "mark" and before.text not in WORDS
            self.next()
            self.chain("unknown" if is_value and (token.newline or not token.space) else "implicit")
        elif token.kind != "id":
            self.next()
        elif is_block and text in MODIFIERS and (following.text in MODIFIERS | DECLARATIONS or self.ahead(2).text in ("set", "unsafe")):
            self.next()
            if self.tok.text == "(":
                self.i += 3
            else:
                frame.modifiers.add(text)
        elif is_block and text in DECLARATIONS and self.declaration(frame):
            frame.modifiers.clear()
        elif text in ("let", "var"):
            self.variables(frame)
        elif text == "for" and following.text != "case":
            self.next()
            names = self.pattern()
            value = self.value(True) if self.accept("in") else None
            self.scopes[-1].update({name.text: value and len(names) == 1 and ("element", value) or None for name in names})
        elif text in WORDS:
            self.next()
        elif following.text == ":" and self.is_label(frame):
            self.next()
        else:
            self.chain()

    def is_label(self, frame):
        """Whether the name before a colon is a label of an argument, of a tuple's element, of a trailing closure or of a loop."""
        if frame.kind == "(":
            return self.tokens[self.i - 1].text in ("(", ",", ":")
        return frame.kind != "[" and (self.tokens[self.i - 1].text == "}" and self.ahead(2).text == "{" or (
            self.tok.newline and self.ahead(2).text in ("for", "while", "repeat", "do", "switch", "if")))

    def closure(self):
        """Reads a closure's parameters up to `in`, if it has any; returns their names and types."""
        j = self.i
        while self.tokens[j].text in ("async", "throws", "some", "any", "inout", "_", "->", *"()[],:.?<>&@") or (
                self.tokens[j].kind == "id" and self.tokens[j].text not in WORDS):
            j += 1
        if self.tokens[j].text != "in" or self.tokens[j + 1].text == ":":
            return {}
        self.accept("(")
        return self.parameters("in")

    def parameters(self, end):
        """Reads parameters up to the token `end`; returns their names with the types after their colons."""
        names = {}
        while self.tok.text != end and self.tok.kind != "end":
            begins = self.tokens[self.i - 1].text in ("(", "<", ",", "{", "]", "each")
            if begins and self.tok.kind == "id" and self.ahead().kind == "id" and self.ahead(2).text == ":":
                self.next()
            if begins and self.tok.kind == "id" and self.ahead().text in (":", ",", ")", ">", "in", "->", "throws", "async"):
                name = self.next().text
                names[name] = self.written(":")
            elif self.tok.text in (")", "]", "}"):
                self.next()
            else:
                self.element(Frame("("))
        self.next()
        return names

    # Declarations

    def define(self, kind, token, frame, value=None):
        private = self.private or bool(frame.modifiers & {"private", "fileprivate"})
        static = kind == "case" or bool(frame.modifiers & {"static", "class"})
        self.definitions.append(Definition(kind, token.text, self.context, self, token.line, private, static, value))

    def declaration(self, frame):
        """Reads a declaration; returns False where the word begins none."""
        word, following = self.tok.text, self.ahead()
        if word in ("let", "var"):
            self.variables(frame)
        elif word in TYPES and following.kind == "id":
            self.next()
            self.type_declaration(word, frame)
        elif word == "func" or word == "subscript" and following.text in ("(", "<") or word == "init" and frame.kind in TYPES:
            self.function(word, self.next() if word != "func" else self.ahead(), frame)
        elif word in ("typealias", "associatedtype"):
            self.next()
            name = self.next()
            self.define("alias", name, frame, self.written("="))
        elif word == "case" and frame.kind == "enum":
            while self.accept("case", ","):
                self.define("case", self.next(), frame, ("type", self.context, (), self))
                if self.accept("("):
                    self.until(Frame("("))
                if self.accept("="):
                    self.next()
        elif word == "import":
            while not self.ahead(2).newline and self.ahead(2).kind == "id":
                self.next()
            self.next()
            self.imports.append(self.next())
        else:
            return False
        return True

    def type_declaration(self, word, frame):
        """Reads a type or an extension, with its members."""
        outer, name = (self.context, self.private), self.tok
        if word == "extension":
            path = tuple(part for part, _, _ in self.chain(calls=False).names)
        else:
            self.private = self.private or frame.kind == "code"
            self.define("type", self.next(), frame)
            path = self.context + (name.text,)
        self.context, self.private = path, self.private or bool(frame.modifiers & {"private", "fileprivate"})
        names = self.parameters(">") if self.accept("<") else {}
        self.scopes.append(names)
        inherits = self.tok.text == ":"
        while self.tok.text != "{" and self.tok.kind != "end":
            inherits = inherits and self.tok.text != "where"
            if inherits and (value := self.written(":", ",")):
                self.inherits.append((path, value))
            self.element(Frame("("))
        self.scopes.pop()
        self.next()
        self.until(Frame(word), names)
        self.context, self.private = outer

    def function(self, kind, name, frame):
        """Reads a function, an initialiser or a subscript; the current token is before its name or at it."""
        while self.tok.text != "(" and not (self.tok.text == "<" and name.kind == "id"):
            self.next()
        names = self.parameters(">") if self.accept("<") else {}
        self.scopes.append(names)
        while self.tok.text != "(":
            self.next()
        self.next()
        names.update(self.parameters(")"))
        value = ("type", self.context, (), self) if kind == "init" else None
        while self.tok.text != "{" and self.tok.kind != "end" and (
                not self.tok.newline or self.tok.text in ("->", "where", "async", "throws")) and self.tok.text not in ("}", ")", ";"):
            value = self.written("->") or value
            self.element(Frame("("))
        self.scopes.pop()
        if frame.kind == "code":
            self.scopes[-1][name.text] = None
        else:
            self.define(kind, name, frame, value)
        if self.accept("{"):
            self.until(Frame("code"), names)

    def variables(self, frame):
        """Reads `let` or `var`: its names, their type and the beginning of their value."""
        before = self.tokens[self.i - 1].text
        is_condition = before in ("if", "guard", "while", ",")
        while self.accept("let", "var", ","):
            names = self.pattern()
            if before == "case":
                self.scopes[-1].update({token.text: None for token in names})
                return
            value = self.written(":")
            if self.accept(":"):
                while self.tok.text not in ("=", "{", ",", ")", "}", "in", "else") and not self.tok.newline:
                    self.element(Frame("("))
            if self.accept("="):
                value = value or self.value(is_condition)
            elif is_condition and not value and self.tok.text in (",", "{", "else"):  # `if let name`
                self.i -= 1
                value = ("chain", self.chain())
            for token in names:
                if frame.kind in ("code", "(", "["):
                    self.scopes[-1][token.text] = value if len(names) == 1 else None
                else:
                    self.define("var", token, frame, value if len(names) == 1 else None)
            if is_condition or self.tok.text != "," or self.ahead().kind != "id" or self.ahead(2).text not in (":", "=", ","):
                return

    def pattern(self):
        """Reads what a pattern binds: a name, or those in parentheses, as in `let (a, b)` and `let .some(a)`."""
        depth, found = 0, []
        while self.tok.kind != "end" and not (depth == 0 and (
                self.tok.text in (":", ",", "=", "in", "as", "{", "}", ")", "else", "where") or found and self.tok.newline)):
            if self.tok.text == "." and self.ahead().kind == "id":
                self.next()
                self.chain("implicit", calls=False)
            elif self.tok.kind == "id" and self.tok.text not in WORDS and self.ahead().text not in (".", "(") and (
                    self.ahead().text != ":" or depth == 0):
                found.append(self.next())
            else:
                depth += DEPTH.get(self.next().text, 0)
        return found

    # Names and types

    def value(self, is_condition):
        """Reads the beginning of an expression; returns the type of its value if it is only a chain of names."""
        while self.accept("try", "await") or self.tokens[self.i - 1].text == "try" and self.accept("?", "!"):
            pass
        if self.tok.kind != "id" or self.tok.text in WORDS:
            return None
        use, end = self.chain(), self.tok
        goes_on = end.text in (".", "?", "??", "+", "-", "*", "/", "==", "&&", "||", "as") or end.text == "{" and not is_condition
        return None if goes_on or not (end.newline or end.text in (",", "else", "}", ")", "{", ";", "where")) else ("chain", use)

    def written(self, *before):
        """The type that is written after the current token, if this is one of `before`; does not pass over it. None = unknown."""
        j, path, depth = self.i + 1, (), 0
        if self.tok.text not in before:
            return None
        is_array = self.tokens[j].text == "["
        j += is_array
        while self.tokens[j].text in TYPE_PREFIXES:
            depth += self.tokens[j].text == "("
            j += 1
        while self.tokens[j].kind == "id" and (not path or self.tokens[j - 1].text == "."):
            path += (self.tokens[j].text,)
            j += 1 + (self.tokens[j + 1].text == ".")
        while self.tokens[j].text in ("?", "!") or depth and self.tokens[j].text == ")":
            depth -= self.tokens[j].text == ")"
            j += 1
        if not path or depth or self.tokens[j].text in ("->", "&") or is_array and self.tokens[j].text != "]":
            return None
        scope = self.scope(path[0]) if len(path) == 1 else None
        found = scope[path[0]] if scope else ("type", self.context if path == ("Self",) else path, self.context, self)
        return ("array", found) if is_array else found

    def scope(self, name):
        """The scope that has a local name, or None."""
        return next((scope for scope in reversed(self.scopes) if name in scope), None)

    def chain(self, base="name", calls=True):
        """Reads a name with its calls and members, and notes the use."""
        names, token = [], self.next()
        if base == "name" and token.text in ("self", "Self", "super"):
            base = "self"
        elif base == "name" and (scope := self.scope(token.text)):
            base = (scope[token.text],)
        else:
            names.append((token.text, token.line, False))
        use = Use(base, names, self.context, self)
        while True:
            token, following = self.tok, self.ahead()
            adjacent = calls and not token.newline and not token.space
            if token.text == "." and following.kind == "id":
                self.next()
                names.append((self.next().text, following.line, False))
            elif adjacent and token.text in ("(", "["):
                self.next()
                self.until(Frame(token.text), self.scopes[-1])
                if token.text == "(" and names and not names[-1][2]:
                    names[-1] = names[-1][:2] + (True,)
                else:
                    names.append(("(" if token.text == "(" else "subscript", token.line, False))
            elif token.text in ("?", "!") and not token.space and not following.space and following.text in (".", "(", "[", "?", "!"):
                self.next()
            else:
                break
        self.uses += [use] if names else []
        return use


# ---------------------------------------------------------------------------------------------------------------- resolution

class Names:
    """The definitions of all targets, and what each use means. The type of a value is a path, ("array", written type) or None."""

    def __init__(self, parsers, modules):
        self.modules, self.answers = modules, {}  # for each target, those whose names it sees; the answers of `resolve`
        self.types, self.members, self.globals, self.named, self.inherits = (collections.defaultdict(list) for _ in range(5))
        for parser in parsers:
            for path, written in parser.inherits:
                self.inherits[path].append(written)
            for one in parser.definitions:
                (self.members[one.owner, one.name] if one.owner else self.globals[one.name]).append(one)
                if one.kind in ("type", "alias"):
                    self.types[one.owner + (one.name,)].append(one)
                elif one.owner:
                    self.named[one.name].append(one)

    def seen(self, definitions, parser, merges=False):
        """The definitions of a name that a file means: its own, or else its target's, or else those of the targets that it imports."""
        shared = [one for one in definitions if one.parser is parser or not one.private]
        target = [one for one in shared if one.parser.module == parser.module]
        imported = [one for one in shared if one.parser.module in self.modules[parser.module]]
        return target + imported if merges else [one for one in target if one.parser is parser] or target or imported

    def find_type(self, path, context, parser):
        """The definition of a type that is named in the scope of the type `context`."""
        if path[0] in self.modules and len(path) > 1:
            path, context = path[1:], ()
        for length in range(len(context), -1, -1):
            if found := self.seen(self.types.get(context[:length] + path[:1], ()), parser):
                for name in path[1:]:
                    found = self.seen(self.types.get((self.meaning(found[0]) or ()) + (name,), ()), parser)
                    if not found:
                        return None
                return found[0]
        return None

    def meaning(self, definition):
        """The path of the type that a type's or an alias's definition stands for."""
        return self.type_of(definition.value) if definition.kind == "alias" else definition.owner + (definition.name,)

    def type_of(self, written):
        """The path of the type that is meant by a written one; types from outside of the project keep their name."""
        if written is None or written[0] == "array":
            return written
        if written[0] == "chain":
            return self.resolve(written[1])[1]
        if written[0] == "element":
            return self.element(self.type_of(written[1]))
        found = self.find_type(*written[1:])
        return self.meaning(found) if found else written[1]

    def element(self, value):
        return self.type_of(value[1]) if value and value[0] == "array" else None

    def find_members(self, path, name, parser, depth=0):
        """The members of a name that a type has, or else the types that it inherits from."""
        found = self.seen(self.members.get((path, name), ()), parser)
        for written in self.inherits.get(path, ()) if not found and depth < 5 else ():
            parent = self.type_of(written)
            found = found + self.find_members(parent, name, parser, depth + 1) if parent != path else found
        return found

    def resolve(self, use):
        """The definitions that a use needs, each with the line of its name, and the type of its value."""
        if id(use) not in self.answers:
            self.answers[id(use)] = [], None  # ends circular inference
            self.answers[id(use)] = self.walk(use)
        return self.answers[id(use)]

    def walk(self, use):
        needs, parser, value, found = [], use.parser, None, []

        def need(definitions, line):
            if len({one.parser for one in definitions}) == 1:
                needs.append((definitions[0], line))
            types = [self.type_of(one.value) for one in definitions]
            return types[0] if types and all(one == types[0] for one in types) else None

        names = list(use.names)
        if use.base == "self":
            value = use.context or None
        elif isinstance(use.base, tuple):
            value = self.type_of(use.base[0])
        elif use.base == "name" and names[0][0] in self.modules and len(names) > 1:
            del names[0]
        for index, (name, line, is_called) in enumerate(names):
            is_first = index == 0 and use.base == "name"
            if (is_first or value) and (found := self.find_type((name,), use.context if is_first else value, parser)) and (
                    is_first or found.owner == value):
                need([found], line)
                value = self.meaning(found)
                if is_called:
                    need(self.seen(self.members.get((value, "init"), ()), parser), line)
            elif is_first:
                for length in range(len(use.context), -1, -1):
                    context = use.context[:length]
                    if found := self.find_members(context, name, parser) if context else self.seen(self.globals.get(name, ()), parser):
                        break
                value = need(found, line) if found else (name,) if name[0].isupper() else None
            elif value and value[0] == "array" and name in ("subscript", "first", "last"):
                value = self.element(value)
            elif name not in ("self", "init", "("):
                found = self.find_members(value, name, parser) if value else []
                value = need(found or self.guess(name, parser, use.base == "implicit" and index == 0), line)
            elif name != "self":
                value = value if name == "init" else None
        return needs, value

    def guess(self, name, parser, is_implicit):
        """A static member that is used without its type, or a member that extends a type from outside of the project."""
        found = self.seen(self.named.get(name, ()), parser, merges=True)
        files = {one.parser for one in found}
        if len(files) != 1 or parser in files or any(one.static != is_implicit for one in found):
            return []
        return [] if name in COMMON or not is_implicit and any(one.owner in self.types for one in found) else found


# ------------------------------------------------------------------------------------------------------------------- graphs

class Graph:
    """Edges between named nodes, each with its reasons: lines that name a use and a definition."""

    def __init__(self):
        self.reasons = collections.defaultdict(list)

    def add(self, node, target, reason):
        if node != target:
            self.reasons[node, target].append(reason)

    def shortest(self, start, graph):
        """A shortest cycle through a node, or None."""
        previous, queue = {start: None}, collections.deque([start])
        while queue:
            node = queue.popleft()
            if start in graph[node]:
                cycle = [node]
                while previous[cycle[0]]:
                    cycle.insert(0, previous[cycle[0]])
                return cycle
            for target in sorted(graph[node] - previous.keys()):
                previous[target] = node
                queue.append(target)
        return None

    def circles(self):
        """Shortest cycles, with their weakest edges; each one's weakest edge is taken away before the next is looked for."""
        graph = collections.defaultdict(set)
        for node, target in self.reasons:
            graph[node].add(target)
        while found := [cycle for node in sorted(graph) if (cycle := self.shortest(node, graph))]:
            cycle = min(found, key=len)
            node, target = min(zip(cycle, cycle[1:] + cycle[:1]), key=lambda edge: (len(self.reasons[edge]), edge))
            yield cycle, f"{node} -> {target}"
            graph[node].remove(target)

    def report(self, title, shows_all):
        """What is wrong, in lines; prints all edges where asked for."""
        for edge in sorted(self.reasons) if shows_all else ():
            print(f"{title}: {' -> '.join(edge)}", *self.reasons[edge], sep="\n    ")
        wrong = []
        for cycle, weakest in self.circles():
            if title.endswith("folders") and all("/" not in node for node in cycle):
                continue  # a circle of files
            wrong.append(f"{title}: circle {' -> '.join(cycle + cycle[:1])}; weakest edge {weakest}")
            for edge in zip(cycle, cycle[1:] + cycle[:1]):
                reasons = self.reasons[edge]
                wrong += ["    " + reason for reason in reasons[:REASONS_SHOWN]]
                if len(reasons) > REASONS_SHOWN:
                    wrong.append(f"    ... {edge[0]} uses {len(reasons) - REASONS_SHOWN} more names of {edge[1]} (--graph prints all)")
        return wrong


def unit(path):
    """The unit of a file's path below its target: Foo for Foo.swift and Foo+Bar.swift, pooling for include/vc_pooling.h."""
    folder = pathlib.Path(*(part for part in path.parent.parts if part != "include")) if path.suffix in (".c", ".h") else path.parent
    return str(folder / path.stem.split("+")[0].removeprefix("vc_"))


def swift_graphs(parsers, names, base):
    """The graphs of a target's folders and files."""
    folders, files, seen = Graph(), Graph(), set()
    for parser in parsers:
        for definition, line in (need for use in parser.uses for need in names.resolve(use)[0]):
            name = ".".join(definition.owner + (definition.name,))
            other = definition.parser
            if other.module == parser.module and other is not parser and (parser.file, other.file, name) not in seen:
                seen.add((parser.file, other.file, name))
                a, b = parser.file.relative_to(base), other.file.relative_to(base)
                reason = f"{a}:{line} uses {name} ({b}:{definition.line})"
                files.add(unit(a), unit(b), reason)
                folders.add(*(f"{path.parent}/" if len(path.parts) > 1 else unit(path) for path in (a, b)), reason)
    return {"folders": folders, "files": files}


def c_includes(sources, name):
    """The graph of the includes among a C target's files, and (header, place) of all includes."""
    graph, includes = Graph(), []
    files = [path for path in sorted((sources / name).rglob("*")) if path.suffix in (".c", ".h")]
    headers = {path.name: path.relative_to(sources / name) for path in files}
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if match := re.match(r'\s*#\s*include\s*["<](?:.*/)?([^">]+)[">]', line):
                includes.append((match[1], f"Sources/{path.relative_to(sources)}:{number}"))
                if other := headers.get(match[1]):
                    a = path.relative_to(sources / name)
                    graph.add(unit(a), unit(other), f"{a}:{number} includes {other}")
    return graph, includes, len(files)


def manifest_dependencies(text):
    """(target, dependency, place) of the dependencies on targets in Package.swift."""
    for match in re.finditer(r'arget\(\s*name: "(\w+)"((?:(?!arget\().)*?)dependencies: \[(.*?)\]', text, re.S):
        for name in re.findall(r'(?<!: )"(\w+)"', match[3]):
            yield match[1], name, f"Package.swift:{text.count(chr(10), 0, match.start()) + 1}"


def allowed(name):
    """All targets that a target may import."""
    found = set()
    queue = ALLOWED[name].split()
    while queue:
        other = queue.pop()
        queue += [further for further in ALLOWED[other].split() if other not in found and further.startswith("Vid")]
        found.add(other)
    return found


def check(root, only=None, level=None, shows_all=False):
    """Checks a project; returns what is wrong, in lines, and the numbers of targets, folders and files."""
    sources, wrong, targets, folders, c_files = root / "Sources", [], Graph(), set(), 0
    modules = sorted(path.name for path in sources.iterdir() if path.is_dir())
    parsers = {name: [Parser(name, path) for path in sorted((sources / name).rglob("*.swift"))] for name in modules}
    every = [parser for name in modules for parser in parsers[name]]
    owners = {path.name: name for name in modules for path in (sources / name).rglob("*.h") if path.name != "shim.h"}
    imports = list(manifest_dependencies((root / "Package.swift").read_text()))
    imports += [(one.module, token.text, f"{one.file.relative_to(root)}:{token.line}") for one in every for token in one.imports]
    names = Names(every, {name: {other for importer, other, _ in imports if importer == name} for name in modules})
    for name in modules:
        folders |= {path.parent for path in (sources / name).rglob("*.*") if path.suffix in (".swift", ".c", ".h")} - {sources / name}
        graph, includes, count = c_includes(sources, name)
        c_files += count
        imports += [(name, owners[header], place) for header, place in includes if header in owners]
        if only in (None, name):
            graphs = swift_graphs(parsers[name], names, sources / name) if parsers[name] else {"files": graph}
            for kind, graph in graphs.items():
                wrong += graph.report(f"{name}: {kind}", shows_all) if level in (None, kind) else []
    for one in every if level in (None, "files") else ():
        lines = one.text.count("\n")
        if lines > MAXIMUM_LINES and not one.file.name.endswith(".pb.swift") and only in (None, one.module):
            wrong.append(f"{one.file.relative_to(root)}: {lines} lines; at most {MAXIMUM_LINES} are allowed")
        if not one.file.name.endswith(".pb.swift") and one.module != "VidTestSupport" and only in (None, one.module):
            wrong += [f"{one.file.relative_to(root)}:{token.line}: imports {token.text}; import FoundationEssentials, which links no ICU"
                      for token in one.imports if token.text in ("Foundation", "FoundationNetworking", "FoundationInternationalization")]
    for name, other, place in imports if level in (None, "targets") else ():
        if name in modules and other in modules and name != other and only in (None, name):
            targets.add(name, other, f"{place}: {name} imports {other}")
            if name in ALLOWED and other not in allowed(name):
                wrong.append(f"{place}: {name} may not import {other}")
    if level in (None, "targets"):
        wrong += [f"Sources/{name}: the table of targets in this script does not have it" for name in modules if name not in ALLOWED]
        wrong += targets.report("targets", shows_all)
    return wrong, f"{len(modules)} targets, {len(folders)} folders, {len(every) + c_files} files"


# ---------------------------------------------------------------------------------------------------------------- self-test

# (what is tested, the number of complaints expected, files of VidData)
CASES = [
    ("types", 1, {"A": "struct A { let b: B? }", "B": "struct B { var a: [A] = [] }"}),
    ("types in one direction", 0, {"A": "struct A { let b: B }", "B": "struct B {}"}),
    ("members of a known type", 2, {
        "A": "func a(b: B) { let c = b.list[0]\nc.count() }", "B": "struct B { let list: [C] }",
        "C": "struct C { func count() { a(b: Z()) } }"}),
    ("inherited members", 2, {
        "A": "protocol A {}\nextension A { func help() { b(C()) } }", "B": "func b(_ c: C) { c.help() }", "C": "struct C: A {}"}),
    ("free functions", 1, {"A": "func one() { two() }", "B": 'func two() { print("a \\(one())") }'}),
    ("overloads in two files", 0, {"A": "func f(a: Int) { two() }", "B": "func f(b: Int) {}", "C": "func two() { f(a: 1) }"}),
    ("extensions", 1, {"A": "struct A { func a() { b() } }", "B": "extension A { func b() {} }"}),
    ("extensions of String", 1, {"A": "func a(x: X) { x.wide() }", "B": "extension String { func wide() { a(x: self) } }"}),
    ("initialisers", 1, {"A": "struct A {}\nlet a = A(1)", "B": "extension A { init(_ a: Int) {} }"}),
    ("static members", 1, {"A": "enum A { case quick; static let b = [\n.slow] }", "B": "enum B { case slow }\nlet a = A.quick"}),
    ("nested types", 0, {"A": "struct Key {}\nstruct A { let b: B }", "B": "struct B { struct Key {} }\nextension B { var l: Key { k } }"}),
    ("folders", 1, {"X/A": "struct A { let b: B }", "Y/B": "struct B {}", "Y/C": "struct C { let d: D }", "X/D": "struct D {}"}),
    ("one unit", 0, {"A": "struct A { func a() { b() } }", "A+B": "extension A { func b() { a() } }"}),
    ("members of unknown types", 0, {
        "A": "struct A { var n = 1; let c: C }\nenum E { case e }", "B": "enum F { case e }",
        "C": "func f(x: some P) { x.n; y(.e) }\nstruct C {}"}),
    ("private names", 0, {"A": "private func help() {}\nfunc one() { two() }", "B": "func two() { help() }"}),
    ("labels, locals, strings and comments", 0, {"A": "struct A {}\nfunc one() {}\nfunc two(_ b: B) {}\nfunc three() {}", "B": """
        struct B { /* A /* A */ one() */ let s = #"A \\(one())"#
        func f(one: Int) { g(two: one) // A
        h { two in two + 1 }; let two = 1; switch x { case let .some(three): print(three, \"""
          one() "A" \\(two)
          \""") } } }"""}),
    ("imports", 1, {"A": "@testable import struct VidModel.A"}),
    ("long files", 1, {"A": "\n" * 401, "b.pb": "\n" * 401}),
]


def self_test():
    """Checks small projects; returns the lines of what went wrong."""
    wrong = []
    for title, expected, files in CASES:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            sources = {f"Sources/VidData/{name}.swift": text for name, text in files.items()}
            for name, text in {"Package.swift": "", "Sources/VidModel/M.swift": "", **sources}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            found = [line for line in check(root)[0] if not line.startswith("    ")]
            if len(found) != expected:
                wrong.append("\n    ".join([f"{title}: expected {expected} complaints, found {len(found)}"] + found))
    return wrong


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--target", help="only this target")
    options.add_argument("--level", choices=["targets", "folders", "files"], help="only this level")
    options.add_argument("--graph", action="store_true", help="print all edges, too")
    options.add_argument("--self-test", action="store_true", help="check the script itself on small projects")
    options.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent, help="the project's folder")
    words = options.parse_args()
    if words.self_test:
        wrong, fine = self_test(), f"house: {len(CASES)} small projects give what is expected"
    else:
        wrong, numbers = check(words.root, words.target, words.level, words.graph)
        fine = f"house: {numbers}, no circles"
    print("\n".join(wrong or [fine]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
