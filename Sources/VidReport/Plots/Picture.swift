import VidSystem

/// The colours of a plot, as SVG names them.
///
/// Series have the colours of Okabe and Ito ("Color universal design", 2008), which can be told apart with any colour vision; series also
/// differ by dashes, marks or labels.
package struct Palette: Sendable {
    package let text: String
    package let muted: String
    package let grid: String
    package let background: String
    package let first: String
    package let second: String
    /// Full cells of a confusion matrix; emptier ones are more transparent.
    package let heat: String
    package let heatText: String

    /// For a file: black on white.
    package static let file = Palette(
        text: "#1b1f24", muted: "#57606a", grid: "#d5dae0", background: "#ffffff", first: "#0072b2", second: "#c14e00",
        heat: "#0072b2", heatText: "#000000")

    /// For a page that defines light and dark colours (`PageStyle`).
    package static let page = Palette(
        text: "var(--text)", muted: "var(--muted)", grid: "var(--grid)", background: "var(--card)", first: "var(--first)",
        second: "var(--second)", heat: "var(--heat)", heatText: "var(--heat-text)")
}

/// A surface that plots are drawn on: an SVG picture or a PNG canvas. Colours are "#rrggbb" or, in a page, names of its style.
protocol PlotSurface {
    mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String, opacity: Double)
    /// Draws squares with these upper left corners.
    mutating func squares(_ corners: [(x: Double, y: Double)], side: Double, fill: String, opacity: Double)
    /// Writes a text as `text` below; `name` marks a value for programs that read the picture.
    mutating func label(
        _ text: String, _ x: Double, _ y: Double, _ size: Double, _ anchor: Canvas.Anchor, _ fill: String?, _ isBold: Bool, _ turn: Double,
        _ name: String?)
}

extension PlotSurface {
    mutating func text(
        _ text: String, x: Double, y: Double, size: Double = 12, anchor: Canvas.Anchor = .start, fill: String? = nil,
        isBold: Bool = false, turn: Double = 0, name: String? = nil
    ) { label(text, x, y, size, anchor, fill, isBold, turn, name) }
}

extension Canvas: PlotSurface {
    func label(
        _ text: String, _ x: Double, _ y: Double, _ size: Double, _ anchor: Anchor, _ fill: String?, _ isBold: Bool, _ turn: Double,
        _ name: String?
    ) {
        let color = Color(hex: fill ?? Palette.file.text)
        self.text(text.printable, x: x, y: y, size: size, color, anchor: anchor, isBold: isBold, turn: turn)
    }

    func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String, opacity: Double) {
        self.fill(x: x, y: y, width: width, height: height, Color(hex: fill, alpha: opacity))
    }

    func squares(_ corners: [(x: Double, y: Double)], side: Double, fill: String, opacity: Double) {
        for corner in corners { rectangle(x: corner.x, y: corner.y, width: side, height: side, fill: fill, opacity: opacity) }
    }
}

extension Canvas.Color {
    /// "#rrggbb".
    fileprivate init(hex: String, alpha: Double = 1) {
        let value = Int(hex.dropFirst(), radix: 16) ?? 0
        self.init(Double(value >> 16) / 255, Double(value >> 8 & 255) / 255, Double(value & 255) / 255, alpha: alpha)
    }
}

/// An SVG picture, drawn by adding elements, then used as a file or as an element of a page.
///
/// The functions that add an element are not inlined: plots call them dozens of times, and the compiler would optimize each copy.
package struct Picture: PlotSurface, Sendable {
    package let width: Double
    package let height: Double
    /// The title and a description, as plain text, for people who cannot see the picture.
    package let title: String
    package let summary: String
    package let palette: Palette
    private(set) var body = ""

    init(width: Double, height: Double, title: String, summary: String, palette: Palette) {
        (self.width, self.height, self.title, self.summary, self.palette) = (width, height, title, summary, palette)
    }

    mutating func add(_ markup: String) { body += markup + "\n" }

    @inline(never)
    mutating func label(
        _ text: String, _ x: Double, _ y: Double, _ size: Double, _ anchor: Canvas.Anchor, _ fill: String?, _ isBold: Bool, _ turn: Double,
        _ name: String?
    ) {
        add(
            "<text x=\"\(n(x))\" y=\"\(n(y))\" font-size=\"\(n(size))\""
                + (anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\"") + (isBold ? " font-weight=\"600\"" : "")
                + " fill=\"\(fill ?? palette.text)\"" + (turn == 0 ? "" : " transform=\"rotate(\(n(turn)) \(n(x)) \(n(y)))\"")
                + (name.map { " data-name=\"\($0)\"" } ?? "") + ">\(Markup.escaped(text))</text>")
    }

    @inline(never)
    mutating func squares(_ corners: [(x: Double, y: Double)], side: Double, fill: String, opacity: Double) {
        let side = n(side)
        let path = corners.map { "M\(n($0.x)) \(n($0.y))h\(side)v\(side)h-\(side)z" }.joined()
        add("<path d=\"\(path)\" fill=\"\(fill)\" fill-opacity=\"\(n(opacity))\"/>")
    }

    @inline(never)
    mutating func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, stroke: String? = nil, width: Double = 1, dash: String? = nil
    ) {
        add(
            "<line x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\" stroke=\"\(stroke ?? palette.grid)\" stroke-width=\"\(n(width))\""
                + (dash.map { " stroke-dasharray=\"\($0)\"" } ?? "") + "/>")
    }

    @inline(never)
    mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String, opacity: Double = 1) {
        add(
            "<rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(max(0, width)))\" height=\"\(n(max(0, height)))\" fill=\"\(fill)\""
                + (opacity == 1 ? "" : " fill-opacity=\"\(n(opacity))\"") + "/>")
    }

    @inline(never)
    mutating func polyline(_ points: [(x: Double, y: Double)], stroke: String, width: Double = 2, dash: String? = nil) {
        let path = points.map { "\(n($0.x)),\(n($0.y))" }.joined(separator: " ")
        add(
            "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(stroke)\" stroke-width=\"\(n(width))\" stroke-linejoin=\"round\""
                + (dash.map { " stroke-dasharray=\"\($0)\"" } ?? "") + "/>")
    }

    /// The shape of a marked point.
    enum Mark { case circle, square, diamond }

    @inline(never)
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

    /// Several pictures side by side.
    init(row pictures: [Picture], title: String, summary: String) {
        self.init(
            width: pictures.reduce(0) { $0 + $1.width }, height: pictures.map(\.height).max() ?? 0, title: title, summary: summary,
            palette: pictures.first?.palette ?? .file)
        var x = 0.0
        for picture in pictures {
            add("<g transform=\"translate(\(n(x)) 0)\">\n\(picture.body)</g>")
            x += picture.width
        }
    }

    /// An SVG file, with a background.
    package var file: String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            + element(id: "picture", background: "<rect width=\"100%\" height=\"100%\" fill=\"\(palette.background)\"/>\n")
    }

    /// An element of a page, with an `id` that is unique there.
    package func element(id: String) -> String { element(id: id, background: "") }

    private func element(id: String, background: String) -> String {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(n(width)) \(n(height))\" width=\"\(n(width))\" height=\"\(n(height))\" "
            + "role=\"img\" aria-labelledby=\"\(id)-title \(id)-text\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\">\n"
            + "<title id=\"\(id)-title\">\(Markup.escaped(title))</title>\n<desc id=\"\(id)-text\">\(Markup.escaped(summary))</desc>\n"
            + background + body + "</svg>\n"
    }
}

private func n(_ value: Double) -> String { Markup.number(value) }
