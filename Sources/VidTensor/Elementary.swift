#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

func _log(_ x: Double) -> Double { log(x) }
func _cos(_ x: Double) -> Double { cos(x) }
func _squareRoot(_ x: Double) -> Double { x.squareRoot() }

/// `base` to the power `exponent`, for coefficients worked out once a step.
package func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
