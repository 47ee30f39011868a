import CBLAS

/// The BLAS this process runs on.
public enum LinearAlgebra {
    /// Name, version, build options and the kernel core chosen for this CPU, as the library says them.
    public static var description: String {
        let configuration = String(cString: openblas_get_config()).split(separator: " ").prefix(2).joined(
            separator: " "
        )
        return "\(configuration), core \(String(cString: openblas_get_corename()))"
    }
}
