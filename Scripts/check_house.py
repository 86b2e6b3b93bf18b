#!/usr/bin/env python3
"""Finds circles between the targets, the folders of a target and the files of a target.

The script reads the Swift and C sources below Sources. It lists the names that each file defines and the names that it uses,
and prints each circle with the names that make it. It also refuses imports that the table of targets does not allow
and Swift files of more than 400 lines. It exits with 1 if it finds any of these.

Conventions:
- Foo.swift and the files Foo+*.swift of its folder are one unit: one type that is written in several files.
- A folder below a folder is a folder of its own. A file at the top of a target counts as a folder of its own.
- A C file and its header (pooling.c, vc_pooling.h) are one unit. Their edges are their includes.
- A type counts wherever it is named. A member counts where the type of its receiver is known; elsewhere only if a single file of
  the target defines a member of that name and neither the standard library nor an imported target has the name.
- Private names are not visible in other files. Labels of arguments, parameters and local variables are not uses.

After each printed circle, its weakest edge (the one of the fewest names) is taken away, and the search goes on. So the printed
circles are enough to break all circles, but a strongly connected group can contain further ones.
"""
import argparse
import collections
import pathlib
import re
import sys
import tempfile

MAXIMUM_LINES = 400

# What each target may import: the names listed and, transitively, what those may import. C targets are allowed only where listed.
ALLOWED = {
    "VidSystem": [],
    "VidTensor": ["CKernels", "COpenBLAS", "VidSystem"],
    "VidConfig": ["VidSystem"],
    "VidModel": ["VidTensor", "VidConfig", "VidSystem"],
    "VidData": ["VidTensor", "VidConfig", "VidSystem", "CZlib"],
    "VidCluster": ["VidTensor", "VidSystem"],
    "VidTrain": ["VidModel", "VidData", "VidCluster"],
    "VidCheckpoint": ["VidTrain", "CHDF5"],
    "VidExport": ["VidTrain", "VidCheckpoint", "CHDF5"],
    "VidReport": ["VidTrain", "CCairo", "CISAL"],
    "VidRun": ["VidCheckpoint", "VidExport", "VidReport"],
    "vidclass": ["VidRun", "CKernelChoice"],
    "VidClassKit": ["VidRun"],
    "VidFuzz": ["VidCheckpoint", "CKernelChoice"],
    "VidTestSupport": ["VidCheckpoint", "CKernelChoice"],
    "COpenBLAS": [],
    "CKernels": ["COpenBLAS"],
    "CKernelChoice": [],
    "CReferenceKernels": ["CKernels"],
    "CHDF5": ["CHDF5System"],
    "CHDF5System": [],
    "CZlib": [],
    "CCairo": [],
    "CISAL": [],
}

# Member names of the standard library, Foundation and the packages in use: they say nothing where the receiver's type is unknown.
COMMON = set("""
    abs add advanced all allSatisfy allCases append appending arguments baseAddress begin bitPattern body bool bound bytes cancel capacity chunk
    close code columns compactMap components configuration contains content contents copy count data date debugDescription decode default
    description deallocate decoder dictionary digest distance done drop dropFirst dropLast duration element elements empty encode encoder end endIndex
    enumerated environment error errorDescription exp exponent false fileExists filter finalize finish first firstIndex flatMap floor forEach format
    formIntersection formUnion get group hash hasPrefix hasSuffix height help high host id identifier index indices infinity initialize input insert
    intersection invalid isEmpty isFinite isLetter isNaN isNumber isSubset isWhitespace items iterator joined key keys kind language last lastIndex
    lastPathComponent length level lines load local localizedDescription log low lowerBound lowercased magnitude makeIterator map mapValues max maximum message
    min minimum mode modified move name names nan negate next none now number offset open output parent parse partition path paths pi pid pointee
    pointer popLast position precondition prefix print process product progress properties quoted random randomElement range rawValue read readData reduce
    remainder remove removeAll removeFirst removeLast removeValue replace replaceSubrange reserveCapacity reset result reverse reversed round rounded rows run
    running scale second seconds seek self send sequence set shape shuffle shuffled sign significand size sleep some sort sorted source split
    squareRoot standardError standardOutput start startIndex starts state status stderr stdout stop store string stringValue stride subtracting suffix sum
    sums swapAt symmetricDifference sync terminate text title trailingZeroBitCount trim trimmingCharacters true truncatingRemainder type underestimatedCount union
    unit unknown unlock unsigned update uppercased upperBound url utf16 utf8 value values version wait width withLock withUnsafeBytes withUnsafeBufferPointer
    withUnsafeMutableBufferPointer withUnsafeMutableBytes word words write zero zip
    """.split())

# ---------------------------------------------------------------------------------------------------------------- tokens

Token = collections.namedtuple("Token", "kind text line newline space")  # kind: id, number, string, mark, end
SKIP = re.compile(r"[ \t\r]+|//[^\n]*")
PLAIN = re.compile(
    r"(?P<id>[$A-Za-z_][A-Za-z0-9_]*|`[^`\n]+`)|(?P<number>[0-9](?:[0-9A-Za-z_]|\.(?=[0-9]))*)"
    r"|(?P<mark>->|\.\.\.|\.\.<|[-+*/%=!<>&|^]=|&&|\|\||\?\?|&[-+*]|.)")


def tokens(text):
    """The tokens of Swift code; the code of a string's interpolations follows its string, in parentheses."""
    found = []
    scan_code(text, 0, 1, found, False)
    found.append(Token("end", "", found[-1].line if found else 1, True, True))
    return found


def scan_code(text, i, line, found, is_interpolation):
    """Adds the tokens from `i` to the end of the text or, in an interpolation, to the parenthesis that ends it; returns (i, line)."""
    depth, newline, space = 0, True, True
    while i < len(text):
        if match := SKIP.match(text, i):
            i, space = match.end(), True
        elif text[i] == "\n":
            i, line, newline, space = i + 1, line + 1, True, True
        elif text.startswith("/*", i):
            start, level = i, 0
            for mark in re.compile(r"/\*|\*/").finditer(text, i):
                level += 1 if mark[0] == "/*" else -1
                i = mark.end()
                if level == 0:
                    break
            line, space = line + text.count("\n", start, i), True
        elif match := re.compile(r'(#*)("""|")').match(text, i):
            found.append(Token("string", '"', line, newline, space))
            i, line = scan_string(text, match.end(), line, found, match[1], match[2])
            newline = space = False
        else:
            match = PLAIN.match(text, i)
            depth += {"(": 1, ")": -1}.get(match[0], 0)
            if is_interpolation and depth < 0:
                return i, line
            found.append(Token(match.lastgroup, match[0].strip("`"), line, newline, space))
            i, newline, space = match.end(), False, False
    return i, line


def scan_string(text, i, line, found, hashes, quote):
    """Passes over a string literal's rest from `i`; adds the tokens of its interpolations."""
    escape = "\\" + hashes
    while i < len(text):
        if text.startswith(quote + hashes, i):
            return i + len(quote + hashes), line
        if text.startswith(escape + "(", i):
            found.append(Token("mark", "(", line, False, False))
            i, line = scan_code(text, i + len(escape) + 1, line, found, True)
            found.append(Token("mark", ")", line, False, False))
            i += 1
        elif text.startswith(escape, i):
            i += len(escape) + (text[i + len(escape):i + len(escape) + 1] != "\n")
        else:
            line += text[i] == "\n"
            i += 1
    return i, line


# ------------------------------------------------------------------------------------------------- definitions and uses

class Definition:
    """A type, function, property, case or initialiser. `owner` is the path of the type it is a member of; () = global."""

    def __init__(self, kind, name, owner, file, line, private, labels=None, value=None):
        self.kind, self.name, self.owner, self.file, self.line, self.private = kind, name, owner, file, line, private
        self.labels, self.value = labels, value  # of functions: the argument labels; the type of the value or result

    def __str__(self):
        return ".".join(self.owner + (self.name,))


class Use:
    """A chain of names such as `loader.sampler.text(training:)`.

    `base` is "name", "self", "implicit" (`.name`), "unknown" or the type of the local variable that begins the chain, as a tuple.
    `names` are (name, argument labels or None, line); a subscript is the name "[]". `context` is the path of the type around it.
    """

    def __init__(self, base, names, context, file, line):
        self.base, self.names, self.context, self.file, self.line = base, names, context, file, line
        self.answer = None


MODIFIERS = set("""public package internal private fileprivate open static final override mutating nonmutating nonisolated lazy weak unowned
    convenience required indirect dynamic consuming borrowing isolated optional prefix postfix infix""".split())
TYPES = {"struct", "class", "enum", "protocol", "actor", "extension"}
DECLARATIONS = TYPES | {"func", "init", "deinit", "subscript", "let", "var", "typealias", "associatedtype", "case", "import"}
WORDS = set("""in as is try await throw throws rethrows return break continue fallthrough do else defer repeat some any inout true false nil
    where async yield each consume copy Any guard default get set willSet didSet newValue oldValue error _ operator precedencegroup""".split())
TYPE_PREFIXES = {"inout", "some", "any", "borrowing", "consuming", "sending", "isolated", "repeat", "each", "nonisolated", "~"}


class Frame:
    """A pair of brackets that is being read. `names` are those of a condition, which the next block will see."""

    def __init__(self, kind, subscript=False):
        self.kind, self.subscript, self.names, self.private, self.switch = kind, subscript, None, False, False


class Parser:
    """Reads one Swift file into `definitions`, `uses`, `inherits` (path, written path) and `imports`."""

    def __init__(self, file, text):
        self.file, self.text, self.tokens, self.i = file, text, tokens(text), 0
        self.scopes, self.context, self.private = [{}], (), False
        self.definitions, self.uses, self.inherits, self.imports = [], [], [], []
        while self.tok.kind != "end":
            self.until("", Frame("file"))
            self.i += self.tok.kind != "end"

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
        """Passes over the next token if it is one of `texts`."""
        if self.tok.kind != "string" and self.tok.text in texts and self.tok.kind != "end":
            return self.next()
        return None

    def local(self, name):
        """The scope that holds a local variable, or None."""
        return next((scope for scope in reversed(self.scopes) if name in scope), None)

    def define(self, kind, token, private, labels=None, value=None):
        private = private or self.private
        self.definitions.append(Definition(kind, token.text, self.context, self.file, token.line, private, labels, value))

    def until(self, close, frame, names=None):
        """Reads up to and with the bracket `close`, in a scope of `names`."""
        if names is not None:
            self.scopes.append(names)
        while self.tok.kind != "end" and not (self.tok.text == close and self.tok.kind == "mark"):
            if self.tok.text in (")", "]", "}") and self.tok.kind == "mark":
                break
            self.element(frame)
        self.accept(close)
        if names is not None:
            self.scopes.pop()

    def element(self, frame):
        """Reads one declaration, name or bracket."""
        token, block = self.tok, frame.kind not in ("(", "[")
        previous = self.tokens[self.i - 1] if self.i else None
        text = token.text
        if token.kind == "id":
            if block and text in MODIFIERS and (self.ahead().text in MODIFIERS | DECLARATIONS or self.ahead().text == "("):
                if text in ("private", "fileprivate") and self.ahead().text != "(":
                    frame.private = True
                if self.ahead().text != "(" or self.ahead(2).text in ("set", "unsafe", "safe", "sending"):
                    self.next()
                    if self.tok.text == "(":
                        self.i += 3
                    return
            if block and text in DECLARATIONS and self.declaration(frame):
                frame.private = False
            elif text in ("let", "var"):
                self.variable(frame)
            elif text == "case":
                self.next()
                self.pattern(self.scopes[-1] if frame.names is None else frame.names)
            elif text in ("if", "while", "for", "catch", "switch") and block or text in ("if", "switch"):
                self.next()
                frame.names, frame.switch = {}, text == "switch"
                if text == "for":
                    self.loop(frame)
            elif text in WORDS:
                self.next()
                if text == "guard":
                    frame.names = None
            elif self.ahead().text == ":" and self.label(frame, previous):
                self.next()
            else:
                self.chain()
        elif token.kind in ("number", "string"):
            self.next()
        elif text == "@":
            self.next()
            self.attribute()
        elif text == "#":
            self.next()
            if self.accept("if", "elseif", "else", "endif"):
                while not self.tok.newline and self.tok.kind != "end":
                    self.next()
            else:
                self.next()
        elif text == "{":
            self.next()
            names, frame.names = frame.names or {}, None
            kind, frame.switch = "switch" if frame.switch else "code", False
            self.closure(names)
            self.until("}", Frame(kind), names)
        elif text in ("(", "["):
            self.next()
            self.until({"(": ")", "[": "]"}[text], Frame(text))
        elif text == ".":
            self.next()
            if self.tok.kind == "id":
                after_value = not token.space and not token.newline and previous and (
                    previous.text in (")", "]", "}", "?", "!") or previous.kind != "mark")
                self.chain("unknown" if after_value or token.newline else "implicit")
        else:
            self.next()

    def label(self, frame, previous):
        """Whether the name before a colon is an argument's label, or a loop's."""
        if frame.kind == "(" or frame.kind == "[" and frame.subscript:
            return previous.text in ("(", ",", "[", ":")
        return frame.kind != "[" and self.tok.newline and self.ahead(2).text in ("for", "while", "repeat", "do", "switch", "if")

    def attribute(self):
        """Reads an attribute's name and arguments."""
        if self.tok.text[:1].isupper():
            self.chain()
        else:
            self.next()
            if self.tok.text == "(" and not self.tok.space:
                self.next()
                self.until(")", Frame("("))

    def closure(self, names):
        """Reads the parameters of a closure, up to `in`, if there are any."""
        j, depth, is_type, found = self.i, 0, False, []
        while True:
            token = self.tokens[j]
            if token.text == "in" and depth == 0:
                break
            if token.kind in ("string", "number", "end") or token.text in "{};=" or (token.newline and depth == 0 and j > self.i):
                return
            if token.text in ("if", "for", "let", "var", "return", "try", "await", "while", "case", "switch", "guard", "throw"):
                return
            if token.text in ("(", "["):
                depth += 1
            elif token.text in (")", "]"):
                depth -= 1
            elif token.text in (":", "->", "throws"):
                is_type = True
            elif token.text == ",":
                is_type = False
            elif token.kind == "id" and not is_type and token.text not in ("weak", "unowned", "self", "async", "inout", "Sendable"):
                found.append(token.text)
            elif token.kind == "mark" and token.text not in (".", "?", "<", ">", "&", "@"):
                return
            j += 1
        while self.i < j:  # types of parameters are uses
            if self.accept(":", "->"):
                value = self.type()
                if found and len(found) == 1:
                    names[found[0]] = value
            else:
                self.next()
        self.next()
        for name in found:
            names.setdefault(name, None)

    # Declarations

    def declaration(self, frame):
        """Reads a declaration's head and body; returns False where the word is none here, such as `case` in a switch."""
        word, following = self.tok.text, self.ahead()
        if word in TYPES:
            if following.kind != "id":
                return False
            if following.text in DECLARATIONS | MODIFIERS and word == "class":
                self.next()
                return False if self.tok.text not in DECLARATIONS else self.declaration(frame)
            self.next()
            self.type_declaration(word, frame)
        elif word == "func":
            self.next()
            name = self.next()
            while self.tok.text not in ("(", "<") or name.kind == "mark" and self.ahead().text in ("(", "<"):
                self.next()
            self.function("func", name, frame)
        elif word == "init" and frame.kind in ("type", "enum", "protocol"):
            name = self.next()
            self.accept("?", "!")
            self.function("init", name, frame)
        elif word == "subscript" and following.text in ("(", "<"):
            self.function("subscript", self.next(), frame)
        elif word in ("let", "var"):
            self.variable(frame)
        elif word in ("typealias", "associatedtype") and following.kind == "id":
            self.next()
            name = self.next()
            self.scopes.append({})
            self.generics()
            while self.accept(":", "&"):
                self.type()
            value = self.type() if self.accept("=") else None
            self.scopes.pop()
            self.define("alias", name, frame.private, value=value)
            self.where()
        elif word == "case" and frame.kind == "enum":
            self.next()
            while self.tok.kind == "id":
                name = self.next()
                labels = self.parameters({}) if self.accept("(") else None
                self.define("case", name, frame.private, labels, ("type", self.context, ()))
                if self.accept("="):
                    self.next()
                    self.next() if self.tok.kind == "number" and not self.tok.newline else None
                if not self.accept(","):
                    break
        elif word == "case" and frame.kind == "switch":
            self.next()
            self.scopes[-1].clear()
            self.pattern(self.scopes[-1])
        elif word == "import":
            while self.ahead().text in TYPES | {"let", "var", "func", "typealias"}:
                self.next()
            self.next()
            self.imports.append(self.next())
            while self.accept("."):
                self.next()
        elif word == "deinit" and following.text == "{":
            self.next()
        else:
            return False
        return True

    def type_declaration(self, word, frame):
        name = self.tok
        path = (self.next().text,)
        while self.accept("."):
            path += (self.next().text,)
        if word == "extension":
            self.uses.append(Use("name", [(part, None, name.line) for part in path], (), self.file, name.line))
        else:
            private = frame.private or bool(frame.kind in ("code", "switch"))
            self.define("type", name, private)
            path = self.context + path
        outer = self.context, self.private
        self.scopes.append({})
        self.context = path
        self.generics()
        if self.accept(":"):
            while True:
                value = self.type()
                if value and value[0] == "type":
                    self.inherits.append((path, value[1]))
                if not self.accept(","):
                    break
        self.where()
        self.private = self.private or frame.private or (word != "extension" and private)
        if self.accept("{"):
            self.until("}", Frame({"enum": "enum", "protocol": "protocol"}.get(word, "type")))
        self.scopes.pop()
        self.context, self.private = outer

    def generics(self):
        """Reads `<T: P, U>` and binds its names."""
        if self.tok.text != "<":
            return
        self.next()
        while not self.accept(">") and self.tok.kind != "end":
            self.accept("let", "each")
            name = self.next().text
            self.scopes[-1][name] = None
            if self.accept(":"):
                self.scopes[-1][name] = self.type()
            self.accept(",")

    def where(self):
        if self.accept("where"):
            while True:
                self.type()
                if not self.accept(":", "==", ",") and not self.accept("="):
                    break

    def function(self, kind, name, frame):
        names = {}
        self.scopes.append(names)
        self.generics()
        labels = self.parameters(names) if self.accept("(") else []
        while self.accept("async", "throws", "rethrows"):
            if self.tok.text == "(":
                self.type()
        value = self.type() if self.accept("->") else None
        self.where()
        self.scopes.pop()
        if frame.kind in ("code", "switch"):
            self.scopes[-1][name.text] = None
        elif kind != "subscript":
            self.define(kind, name, frame.private, labels, ("type", self.context, ()) if kind == "init" else value)
        if self.accept("{"):
            self.until("}", Frame("code"), names)

    def parameters(self, names):
        """Reads parameters to their closing parenthesis; binds their names and returns their labels."""
        labels = []
        while not self.accept(")") and self.tok.kind != "end":
            while self.accept("@"):
                self.attribute()
            words = []
            while self.tok.kind == "id" and (self.ahead().text == ":" or self.ahead().kind == "id" and self.ahead(2).text == ":"):
                words.append(self.next().text)
            self.accept(":")
            value = self.type()
            self.accept("...")
            labels.append(words[0] if words else "_")
            if words:
                names[words[-1]] = value
            if self.accept("="):
                frame = Frame("(")
                while self.tok.text not in (",", ")") and self.tok.kind != "end":
                    self.element(frame)
            self.accept(",")
        return labels

    def variable(self, frame):
        """Reads `let` or `var`: a name or a tuple of names, a type, and the beginning of a value."""
        word = self.next()
        condition = frame.names is not None or self.tokens[self.i - 2].text in ("guard", ",") and frame.kind in ("code", "file", "switch")
        is_local = frame.kind in ("code", "switch", "(", "[") or condition
        while True:
            found, value = [], None
            if self.accept("("):
                while not self.accept(")") and self.tok.kind != "end":
                    token = self.next()
                    if token.kind == "id" and self.tok.text != ":":
                        found.append(token)
            elif self.tok.kind == "id":
                found.append(self.next())
            if self.accept(":"):
                value = self.type()
            if self.accept("="):
                while self.accept("try", "await") or self.tokens[self.i - 1].text == "try" and self.accept("?", "!"):
                    pass
                if self.tok.kind == "id" and self.tok.text not in WORDS | {"if", "switch"}:
                    use = self.chain()
                    ends = self.tok.newline and self.tok.text not in (".", "?", "??", "+", "-", "*", "/", "==", "&&", "||", "as")
                    if value is None and (ends or self.tok.text in (",", "else", "}", ")") or condition and self.tok.text == "{"):
                        value = ("chain", use)
            elif condition and value is None and len(found) == 1 and word.text in ("let", "var") and found[0].text != "self":
                scope = self.local(found[0].text)
                use = Use("name", [(found[0].text, None, found[0].line)], self.context, self.file, found[0].line)
                value = scope[found[0].text] if scope else ("chain", use)
                if not scope:
                    self.uses.append(use)
            for token in found:
                if is_local:
                    (self.scopes[-1] if frame.names is None else frame.names)[token.text] = value if len(found) == 1 else None
                else:
                    self.define("var", token, frame.private, None, value if len(found) == 1 else None)
            if condition or not (self.tok.text == "," and self.ahead().kind == "id" and self.ahead(2).text in (":", "=", ",")):
                return
            self.next()

    def loop(self, frame):
        """Reads the pattern of `for`; a single name gets the element type of what is looped over."""
        self.accept("try")
        self.accept("await")
        if self.accept("case"):
            return self.pattern(frame.names)
        found = []
        while self.tok.text != "in" and self.tok.kind != "end":
            if self.accept(":"):
                self.type()
                continue
            token = self.next()
            if token.kind == "id" and token.text not in ("var", "_"):
                found.append(token.text)
        self.next()
        value = None
        if self.tok.kind == "id" and self.tok.text not in WORDS:
            use = self.chain()
            value = ("element", ("chain", use)) if self.tok.text in ("{", "where") and len(found) == 1 else None
        frame.names.update(dict.fromkeys(found, value))

    def pattern(self, names):
        """Reads the pattern after `case`, to its colon, `=` or `in`; binds the names of `let`."""
        depth, binds = 0, False
        while self.tok.kind != "end" and not (depth == 0 and self.tok.text in (":", "=", "in", "where", "{")):
            token = self.tok
            if token.text in ("let", "var"):
                self.next()
                if self.tok.kind == "id" and self.ahead().text not in (".", "("):
                    names[self.next().text] = None
                else:
                    binds = True
            elif token.kind == "id" and token.text not in WORDS:
                if self.ahead().text == ":" and depth > 0:
                    self.i += 2
                elif binds and self.ahead().text != "." and not token.text[0].isupper() and self.ahead().text != "(":
                    names[self.next().text] = None
                else:
                    self.chain(calls=False)
            elif token.text == ".":
                self.next()
                if self.tok.kind == "id":
                    self.chain("implicit", calls=False)
            else:
                depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0) if token.kind == "mark" else 0
                binds = binds and not (depth == 0 and token.text == ",")
                self.next()

    # Expressions and types

    def chain(self, base="name", calls=True):
        """Reads a name, its calls and members, and notes the use; returns it."""
        first = self.tok
        use = Use(base, [], self.context, self.file, first.line)
        if first.text in ("self", "Self", "super"):
            use.base = "self"
            self.next()
        elif base == "name" and (scope := self.local(first.text)) is not None:
            use.base = (scope[first.text],)
            self.next()
        while True:
            if self.tok.kind == "id" and (not use.names and use.base in ("name", "implicit", "unknown") or self.tokens[self.i - 1].text == "."):
                token = self.next()
                use.names.append((token.text, None, token.line))
                self.arguments_of_generic()
            elif not calls and self.tok.text != ".":
                break
            elif self.tok.text == "(" and not self.tok.newline and not self.tok.space:
                start = self.next()
                labels = self.argument_labels()
                self.until(")", Frame("("))
                if use.names:
                    name, already, line = use.names[-1]
                    use.names[-1] = (name, labels, line) if already is None else ("()", None, line)
                else:
                    use.names.append(("()", None, start.line))
            elif self.tok.text == "[" and not self.tok.newline and not self.tok.space:
                use.names.append(("[]", None, self.next().line))
                self.until("]", Frame("[", True))
            elif self.tok.text in ("?", "!") and not self.tok.space and self.ahead().text in (".", "(", "[", "?", "!") and not self.ahead().space:
                self.next()
            elif self.tok.text == "." and self.ahead().kind == "id":
                self.next()
            else:
                break
        if use.names:
            self.uses.append(use)
        return use

    def argument_labels(self):
        """The labels of the call whose arguments begin here; the position stays."""
        labels, depth, start = [], 0, True
        for j in range(self.i, len(self.tokens)):
            token = self.tokens[j]
            if token.kind == "mark" and token.text in (")", "]", "}"):
                if depth == 0:
                    break
                depth -= 1
            elif depth == 0 and start and token.text != ",":
                labels.append(token.text if token.kind == "id" and self.tokens[j + 1].text == ":" else "_")
                start = False
            if token.kind == "mark" and token.text in ("(", "[", "{"):
                depth += 1
            if depth == 0 and token.text == "," and token.kind == "mark":
                start = True
        return labels

    def arguments_of_generic(self):
        """Reads `<A, B>` after a name, where it isn't a comparison."""
        if self.tok.text != "<" or self.tok.space:
            return
        j, depth = self.i, 0
        while True:
            token = self.tokens[j]
            if token.kind in ("string", "number", "end") or token.kind == "mark" and token.text not in "<>.,:?[]()&->":
                return
            depth += {"<": 1, ">": -1}.get(token.text, 0)
            j += 1
            if depth == 0:
                break
        while self.i < j and self.accept("<", ","):
            self.type()
        self.i = j

    def type(self):
        """Reads a type and notes its uses. Returns ("type", path, context), ("array", element) or None."""
        value = None
        while self.tok.text in TYPE_PREFIXES or self.tok.text == "@":
            if self.next().text == "@":
                self.next()
        if self.accept("("):
            values = []
            while not self.accept(")") and self.tok.kind != "end":
                while self.tok.kind == "id" and (self.ahead().text == ":" or self.ahead().kind == "id" and self.ahead(2).text == ":"):
                    self.next()
                self.accept(":")
                before = self.i
                values.append(self.type())
                self.accept("...")
                self.accept(",")
                self.i += self.i == before
            value = values[0] if len(values) == 1 else None
        elif self.accept("["):
            value = ("array", self.type())
            if self.accept(":"):
                self.type()
                value = ("type", ("Dictionary",), ())
            self.accept("]")
        elif self.tok.kind == "id":
            use = Use("name", [], self.context, self.file, self.tok.line)
            scope = self.local(self.tok.text)
            element = None
            while self.tok.kind == "id":
                token = self.next()
                use.names.append((token.text, None, token.line))
                if self.tok.text == "<":
                    self.next()
                    while not self.accept(">") and self.tok.kind != "end":
                        before = self.i
                        element = self.type()
                        self.accept(",")
                        self.i += self.i == before
                if not (self.tok.text == "." and self.ahead().kind == "id" and self.accept(".")):
                    break
            path = tuple(name for name, _, _ in use.names)
            if scope is not None:
                value = scope[path[0]] if len(path) == 1 else None
            else:
                self.uses.append(use)
                value = ("array", element) if path == ("Array",) else ("type", path, self.context)
        while self.tok.text in ("?", "!") and not self.tok.space:
            self.next()
        if self.accept("&"):
            self.type()
            value = None
        while self.tok.text in ("async", "throws") and not self.tok.newline:
            self.next()
            if self.tok.text == "(":
                self.type()
        if self.tok.text == "->" and not self.tok.newline:
            self.next()
            self.type()
            value = None
        return value


# ------------------------------------------------------------------------------------------------------------ resolution

class Target:
    """The definitions of a target, and what each use means."""

    def __init__(self, name, parsers, modules, imported):
        self.name, self.parsers = name, parsers
        self.modules, self.imported = modules, imported  # imported: member names of the targets it imports
        self.types, self.members, self.globals = {}, collections.defaultdict(list), collections.defaultdict(list)
        self.named, self.inherits = collections.defaultdict(list), collections.defaultdict(set)
        for parser in parsers:
            for definition in parser.definitions:
                if definition.kind in ("type", "alias"):
                    self.types.setdefault(definition.owner + (definition.name,), []).append(definition)
                if definition.owner:
                    self.members[definition.owner, definition.name].append(definition)
                    self.named[definition.name].append(definition)
                else:
                    self.globals[definition.name].append(definition)
            for path, written in parser.inherits:
                self.inherits[path].add(written)

    def find_type(self, path, context, file):
        """The definition of the type that `path` names in the scope of the type `context`."""
        for length in range(len(context), -1, -1):
            found = visible(self.types.get(context[:length] + path[:1], []), file)
            if found:
                definition = found[0]
                for name in path[1:]:
                    inner = visible(self.types.get(self.path(definition) + (name,), []), file)
                    definition = inner[0] if inner else None
                    if not definition:
                        return None
                return definition
        return None

    def path(self, definition, depth=0):
        """The path of the type that a definition stands for, through aliases."""
        if definition.kind == "alias" and definition.value and definition.value[0] == "type" and depth < 5:
            target = self.find_type(definition.value[1], definition.owner, definition.file)
            if target and target is not definition:
                return self.path(target, depth + 1)
        return definition.owner + (definition.name,)

    def find_members(self, path, name, file, depth=0):
        """The members of this name that a type and the types it inherits from have."""
        found = list(visible(self.members.get((path, name), []), file))
        for written in self.inherits.get(path, ()) if depth < 6 and not found else ():
            parent = self.find_type(written, path, file)
            if parent and self.path(parent) != path:
                found += self.find_members(self.path(parent), name, file, depth + 1)
        return found

    def type_of(self, value, file):
        """What is known of a declared type: ("type", path), ("array", value), "external" or None."""
        if value is None or value in ("external",):
            return value
        if value[0] == "chain":
            return self.resolve(value[1])[1]
        if value[0] == "element":
            whole = self.type_of(value[1], file)
            return self.type_of(whole[1], file) if whole and whole[0] == "array" else None
        if value[0] == "type" and len(value) == 3:
            if value[2] == () and (value[1] in self.types or len(value[1]) > 1):
                return value[:2]
            found = self.find_type(value[1], value[2], file)
            if not found:
                return "external"
            return None if found.kind == "alias" and self.path(found) == found.owner + (found.name,) else ("type", self.path(found))
        return value

    def resolve(self, use):
        """The definitions that a use needs, with the lines of the use, and the type of its value."""
        if use.answer is None:
            use.answer = ([], None)  # for circular inference
            use.answer = self.walk(use)
        return use.answer

    def walk(self, use):
        edges, names, file = [], list(use.names), use.file
        kind = None  # of the value so far
        if use.base == "self":
            kind = ("type", use.context) if use.context else None
        elif isinstance(use.base, tuple):
            kind = self.type_of(use.base[0], file)
        elif use.base == "name":
            name, labels, line = names.pop(0)
            if name in self.modules or name == self.name:
                if not names:
                    return edges, None
                name, labels, line = names.pop(0)
            found = self.find_type((name,), use.context, file)
            if found:
                edges.append((line, found))
                kind = self.type_of(("type", self.path(found), ()), file)
                if found.kind == "alias" and kind == ("type", found.owner + (found.name,)):
                    kind = None
                if labels is not None and kind:
                    edges += self.initialiser(kind[1], labels, line, file)
                while names and kind and (found := self.find_type(kind[1] + (names[0][0],), (), file)):
                    name, labels, line = names.pop(0)
                    edges.append((line, found))
                    kind = ("type", self.path(found))
                    if labels is not None:
                        edges += self.initialiser(kind[1], labels, line, file)
            else:
                found = []
                for length in range(len(use.context), 0, -1):
                    found = self.find_members(use.context[:length], name, file)
                    if found:
                        break
                found = fitting(found or visible(self.globals.get(name, []), file), labels)
                edges += self.single(found, line, file)
                kind = self.value(found, file) if found else "external" if name[0].isupper() else None
        for name, labels, line in names:
            if name == "[]":
                kind = self.type_of(kind[1], file) if kind and kind[0] == "array" else None
            elif name == "self":
                pass
            elif name == "init":
                edges += self.initialiser(kind[1], labels, line, file) if kind and kind[0] == "type" else []
            else:
                if kind and kind[0] == "array" and name in ("first", "last"):
                    kind = self.type_of(kind[1], file)
                    continue
                found = fitting(self.find_members(kind[1], name, file), labels) if kind and kind[0] == "type" else []
                if found:
                    edges += self.single(found, line, file)
                else:
                    found = self.guess(name, labels, file, kind)
                    edges += [(line, found[0])] if found else []
                kind = self.value(found, file) if found else None
        return edges, kind

    def value(self, found, file):
        """The type of the value that definitions of one name have in common."""
        kinds = [self.type_of(definition.value, definition.file) for definition in found]
        return kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else None

    def guess(self, name, labels, file, kind):
        """The definitions of a member whose receiver's type isn't known (or is external), where there can be only one file of them."""
        everywhere = self.named.get(name, [])
        if name in COMMON or name in self.imported or any(definition.file == file for definition in everywhere):
            return []
        found = visible(everywhere, file)
        if len({definition.file for definition in found}) != 1:
            return []
        if kind and any(definition.owner in self.types for definition in found):
            return []  # the type is known, and has no such member
        return fitting(found, labels)

    def initialiser(self, path, labels, line, file):
        """The initialiser that a call with these labels needs."""
        return self.single(fitting(visible(self.members.get((path, "init"), []), file), labels), line, file)

    @staticmethod
    def single(found, line, file):
        """An edge to the definitions, if all are in one file."""
        return [(line, found[0])] if len({definition.file for definition in found}) == 1 else []


def visible(definitions, file):
    """The definitions that a file can use: its own, or else all that aren't private."""
    own = [definition for definition in definitions if definition.file == file]
    return own or [definition for definition in definitions if not definition.private]


def fitting(definitions, labels):
    """The definitions whose parameters take these labels; parameters with defaults and trailing closures may be left out."""
    def fits(definition):
        if definition.labels is None:
            return True
        rest = iter(definition.labels)
        return all(label in rest for label in labels)
    return definitions if labels is None else [definition for definition in definitions if fits(definition)]


# ---------------------------------------------------------------------------------------------------------------- graphs

def circles(graph):
    """Short cycles of a graph {node: {node: weight}}; each one's weakest edge is taken away before the next is looked for."""
    graph = {node: dict(targets) for node, targets in graph.items()}
    while True:
        best = None
        for start in sorted(graph):
            previous, queue = {start: None}, collections.deque([start])
            while queue and start not in (node := queue.popleft(), None)[1:]:
                if start in graph.get(node, ()):
                    cycle = [node]
                    while previous[cycle[-1]] is not None:
                        cycle.append(previous[cycle[-1]])
                    cycle.reverse()
                    if best is None or len(cycle) < len(best):
                        best = cycle
                    break
                for target in sorted(graph.get(node, ())):
                    if target not in previous:
                        previous[target] = node
                        queue.append(target)
        if best is None:
            return
        yield best
        pairs = list(zip(best, best[1:] + best[:1]))
        node, target = min(pairs, key=lambda pair: (graph[pair[0]][pair[1]], pair))
        del graph[node][target]


def unit(path):
    """The unit of a Swift file's path below its target: Foo for Foo.swift and Foo+Bar.swift."""
    return str(path.parent / path.stem.split("+")[0])



class Graph:
    """Edges between named nodes, each with its reasons: lines of text that name a use and a definition."""

    def __init__(self):
        self.reasons = collections.defaultdict(list)

    def add(self, node, target, reason):
        if node != target:
            self.reasons[node, target].append(reason)

    def report(self, title, shows_all):
        """The lines about the graph's circles and, where asked for, about all its edges."""
        weights = collections.defaultdict(dict)
        for (node, target), reasons in self.reasons.items():
            weights[node][target] = len(reasons)
        if shows_all:
            for node, target in sorted(self.reasons):
                print("\n    ".join([f"{title}: {node} -> {target}"] + self.reasons[node, target]))
        found = []
        for cycle in circles(weights):
            found.append(f"{title}: circle {' -> '.join(cycle + cycle[:1])}")
            for node, target in zip(cycle, cycle[1:] + cycle[:1]):
                found += ["    " + reason for reason in self.reasons[node, target]]
        return found


def swift_graphs(base, target):
    """The graphs of a target's folders and files."""
    folders, files, seen = Graph(), Graph(), set()
    for parser in target.parsers:
        for use in parser.uses:
            for line, definition in target.resolve(use)[0]:
                if definition.file == use.file or (use.file, str(definition)) in seen:
                    continue
                seen.add((use.file, str(definition)))
                a, b = use.file.relative_to(base), definition.file.relative_to(base)
                reason = f"{a}:{line} uses {definition} ({b}:{definition.line})"
                files.add(unit(a), unit(b), reason)
                folders.add(folder(a), folder(b), reason)
    return folders, files


def folder(path):
    """The folder of a path below its target; a file at the top is a folder of its own."""
    return unit(path) if path.parent == pathlib.Path(".") else str(path.parent)


def c_unit(path):
    """The unit of a C file or header: pooling for pooling.c and include/vc_pooling.h."""
    folders = [part for part in path.parent.parts if part != "include"]
    return "/".join(folders + [path.stem.removeprefix("vc_")])


def c_graph(base):
    """The includes among a C target's files; also the names of all included files."""
    graph, included = Graph(), []
    files = sorted(path for path in base.rglob("*") if path.suffix in (".c", ".h"))
    headers = {path.name: path for path in files if path.suffix == ".h"}
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if match := re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line):
                name = match[1].split("/")[-1]
                included.append((name, path, number))
                if name in headers:
                    a, b = path.relative_to(base), headers[name].relative_to(base)
                    graph.add(c_unit(a), c_unit(b), f"{a}:{number} includes {b}")
    return graph, included, files


def allowed(name):
    """All targets that a target may import."""
    found, queue = set(), list(ALLOWED.get(name, ()))
    while queue:
        other = queue.pop()
        if other in found:
            continue
        found.add(other)
        queue += [further for further in ALLOWED.get(other, ()) if further.startswith("Vid")]
    return found


def manifest_dependencies(root):
    """(target, dependency, line) of each dependency on a target that Package.swift names by a string."""
    found, text = [], (root / "Package.swift").read_text()
    for match in re.finditer(r'[tT]arget\(\s*name: "(\w+)"(.*?)(?=\.\w*[tT]arget\(|\.systemLibrary\(|\Z)', text, re.S):
        if listed := re.search(r"dependencies: \[(.*?)\]", match[2], re.S):
            line = text.count("\n", 0, match.start()) + 1
            for name in re.findall(r'(?<![:\w] )"(\w+)"', listed[1]):
                found.append((match[1], name, line))
    return found


def check(root, only=None, level=None, shows_all=False):
    """Checks a project; returns the lines of what is wrong and the numbers of targets, folders and files."""
    sources = root / "Sources"
    names = sorted(path.name for path in sources.iterdir() if path.is_dir())
    wrong, targets, folder_count, file_count = [], Graph(), 0, 0
    parsers = {name: [Parser(path, path.read_text()) for path in sorted((sources / name).rglob("*.swift"))] for name in names}
    imports = [(name, dependency, f"Package.swift:{line}") for name, dependency, line in manifest_dependencies(root) if name in names]
    owners = {header.name: name for name in names for header in (sources / name).rglob("*.h") if header.name != "shim.h"}
    for name in names:
        base = sources / name
        imports += [(name, token.text, f"{parser.file.relative_to(root)}:{token.line}") for parser in parsers[name] for token in parser.imports]
        graph, included, c_files = c_graph(base)
        imports += [(name, owners[header], f"{path.relative_to(root)}:{line}") for header, path, line in included if header in owners]
        file_count += len(parsers[name]) + len(c_files)
        folder_count += len({parser.file.parent for parser in parsers[name]} | {path.parent for path in c_files} - {base})
        if only in (None, name) and level in (None, "files"):
            wrong += graph.report(f"{name}: files", shows_all)
            for parser in parsers[name]:
                lines = parser.text.count("\n")
                if lines > MAXIMUM_LINES and not parser.file.name.endswith(".pb.swift"):
                    wrong.append(f"{parser.file.relative_to(root)}: {lines} lines; expected at most {MAXIMUM_LINES}")
        if parsers[name] and only in (None, name) and level != "targets":
            mine = {token.text for parser in parsers[name] for token in parser.imports if token.text in names}
            members = {one.name for other in mine for parser in parsers[other] for one in parser.definitions if one.owner and not one.private}
            target = Target(name, parsers[name], set(names), members)
            for kind, graph in zip(("folders", "files"), swift_graphs(base, target)):
                if level in (None, kind):
                    wrong += graph.report(f"{name}: {kind}", shows_all)
    if level in (None, "targets"):
        for name in names:
            if name not in ALLOWED:
                wrong.append(f"{name}: not in the table of targets; add it to the script and to the design")
        for name, dependency, place in imports:
            if dependency in names and dependency != name and only in (None, name):
                targets.add(name, dependency, f"{place} imports {dependency}")
                if name in ALLOWED and dependency not in allowed(name):
                    wrong.append(f"{place}: {name} may not import {dependency}")
        wrong += targets.report("targets", shows_all)
    return wrong, f"{len(names)} targets, {folder_count} folders, {file_count} files"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent, help="the project's folder")
    options.add_argument("--target", help="only this target")
    options.add_argument("--level", choices=["targets", "folders", "files"], help="only circles of this level")
    options.add_argument("--graph", action="store_true", help="print all edges")
    words = options.parse_args()
    wrong, numbers = check(words.root, words.target, words.level, words.graph)
    print("\n".join(wrong) if wrong else f"house: {numbers}, no circles")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
