import VidSystem

/// A picture as SVG: drawn by adding elements, then taken as a file of its own or as part of a page.
package struct Picture: Sendable {
    package let width: Double
    package let height: Double
    /// What it is, and what it shows, for those who do not see it.
    package let title: String
    package let summary: String
    package let palette: Palette
    private(set) var body = ""

    /// - Parameters: title and summary as plain text.
    package init(width: Double, height: Double, title: String, summary: String, palette: Palette) {
        self.width = width
        self.height = height
        self.title = title
        self.summary = summary
        self.palette = palette
    }

    /// Where a text stands beside its point.
    enum Anchor: String { case start, middle, end }

    mutating func add(_ markup: String) { body += markup + "\n" }

    mutating func text(
        _ text: String, x: Double, y: Double, size: Double = 12, anchor: Anchor = .start, fill: String? = nil, isBold: Bool = false,
        turn: Double = 0, name: String? = nil
    ) {
        let turned = turn == 0 ? "" : " transform=\"rotate(\(n(turn)) \(n(x)) \(n(y)))\""
        add(
            "<text x=\"\(n(x))\" y=\"\(n(y))\" font-size=\"\(n(size))\""
                + (anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\"") + (isBold ? " font-weight=\"600\"" : "")
                + " fill=\"\(fill ?? palette.text)\"\(turned)\(name.map { " data-name=\"\($0)\"" } ?? "")>\(Markup.escaped(text))</text>")
    }

    mutating func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, stroke: String? = nil, width: Double = 1, dash: String? = nil
    ) {
        add(
            "<line x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\" stroke=\"\(stroke ?? palette.grid)\" stroke-width=\"\(n(width))\""
                + (dash.map { " stroke-dasharray=\"\($0)\"" } ?? "") + "/>")
    }

    mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String, opacity: Double = 1) {
        add(
            "<rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(max(0, width)))\" height=\"\(n(max(0, height)))\" fill=\"\(fill)\""
                + (opacity == 1 ? "" : " fill-opacity=\"\(n(opacity))\"") + "/>")
    }

    mutating func polyline(_ points: [(x: Double, y: Double)], stroke: String, width: Double = 2, dash: String? = nil) {
        let path = points.map { "\(n($0.x)),\(n($0.y))" }.joined(separator: " ")
        add(
            "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(stroke)\" stroke-width=\"\(n(width))\" stroke-linejoin=\"round\""
                + (dash.map { " stroke-dasharray=\"\($0)\"" } ?? "") + "/>")
    }

    /// A mark of one of several shapes about a point.
    enum Mark { case circle, square, diamond }

    mutating func mark(_ mark: Mark, x: Double, y: Double, size: Double = 4, fill: String, stroke: String? = nil) {
        let edge = stroke.map { " stroke=\"\($0)\" stroke-width=\"1.5\"" } ?? ""
        switch mark {
        case .circle: add("<circle cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(size))\" fill=\"\(fill)\"\(edge)/>")
        case .square:
            add(
                "<rect x=\"\(n(x - size))\" y=\"\(n(y - size))\" width=\"\(n(2 * size))\" height=\"\(n(2 * size))\" fill=\"\(fill)\"\(edge)/>"
            )
        case .diamond:
            let (s, path) = (size * 1.3, { (dx: Double, dy: Double) in "\(n(x + dx)) \(n(y + dy))" })
            add("<path d=\"M\(path(0, -s))L\(path(s, 0))L\(path(0, s))L\(path(-s, 0))Z\" fill=\"\(fill)\"\(edge)/>")
        }
    }

    /// Lays another picture over this one.
    mutating func add(_ other: Picture, x: Double, y: Double) {
        add("<g transform=\"translate(\(n(x)) \(n(y)))\">\n\(other.body)</g>")
    }

    /// An SVG file, on a background of its own.
    package var file: String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            + element(id: "picture", background: "<rect width=\"100%\" height=\"100%\" fill=\"\(palette.background)\"/>\n")
    }

    /// An element of a page; `id` is no other's there.
    package func element(id: String) -> String { element(id: id, background: "") }

    private func element(id: String, background: String) -> String {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(n(width)) \(n(height))\" width=\"\(n(width))\" height=\"\(n(height))\" "
            + "role=\"img\" aria-labelledby=\"\(id)-title \(id)-text\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\">\n"
            + "<title id=\"\(id)-title\">\(Markup.escaped(title))</title>\n<desc id=\"\(id)-text\">\(Markup.escaped(summary))</desc>\n"
            + background + body + "</svg>\n"
    }
}

private func n(_ value: Double) -> String { Markup.number(value) }
