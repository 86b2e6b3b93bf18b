import VidSystem

/// libFuzzer calls this with each input, which goes to the parser that `VIDCLASS_FUZZ` names.
///
/// A parser either accepts the input and keeps its promises about the result, or throws a `VidclassError`. A trap, another error or
/// a broken promise is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    chosen.check(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}

/// The parser under test.
private let chosen: FuzzedParser = {
    let name = getenv("VIDCLASS_FUZZ").map { String(cString: $0) } ?? ""
    guard let parser = FuzzedParser(rawValue: name) else {
        let known = FuzzedParser.allCases.map(\.rawValue).joined(separator: ", ")
        print("VIDCLASS_FUZZ must name the parser to test: \(known)")
        exit(64)
    }
    return parser
}()
