import VidSystem

/// The range of a number, each end included or not.
struct NumberBounds: Sendable {
    private var lower: Double
    private var includesLower: Bool
    private var upper: Double?
    private var includesUpper = false

    /// `lower <= x`.
    static func atLeast(_ lower: Double) -> NumberBounds { NumberBounds(lower: lower, includesLower: true) }

    /// `lower < x`.
    static func above(_ lower: Double) -> NumberBounds { NumberBounds(lower: lower, includesLower: false) }

    /// `0 <= x < 1`.
    static let share = NumberBounds(lower: 0, includesLower: true, upper: 1)

    /// `0 <= x <= 1`.
    static let probability = NumberBounds(from: 0, to: 1)

    private init(lower: Double, includesLower: Bool, upper: Double? = nil, includesUpper: Bool = false) {
        self.lower = lower
        self.includesLower = includesLower
        self.upper = upper
        self.includesUpper = includesUpper
    }

    /// `lower <= x <= upper`.
    init(from lower: Double, to upper: Double) { self.init(lower: lower, includesLower: true, upper: upper, includesUpper: true) }

    /// `lower < x <= upper`.
    init(above lower: Double, to upper: Double) { self.init(lower: lower, includesLower: false, upper: upper, includesUpper: true) }

    func contains(_ number: Double) -> Bool {
        (includesLower ? number >= lower : number > lower) && upper.map { includesUpper ? number <= $0 : number < $0 } != false
    }

    var summary: String {
        "a number " + (includesLower ? "of at least \(brief(lower))" : "above \(brief(lower))")
            + (upper.map { (includesUpper ? " and at most " : " and below ") + brief($0) } ?? "")
    }

    var schema: JSONNode {
        var schema: JSONNode = ["type": "number", includesLower ? "minimum" : "exclusiveMinimum": .number(lower)]
        if let upper { schema.set(includesUpper ? "maximum" : "exclusiveMaximum", .number(upper)) }
        return schema
    }

    /// 1 instead of 1.0.
    private func brief(_ number: Double) -> String {
        Int64(exactly: number).map(\.description) ?? number.description
    }
}
