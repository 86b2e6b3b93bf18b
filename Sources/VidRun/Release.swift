/// This version of vidclass. The program, the library and the runs' records name it.
package enum Release {
    package static let version = "0.1.0"
}
