"""Paths of the account calls, below /api/."""

from django.urls import path

from accounts.api import mail, totp, views

urlpatterns = [
    path("auth/login", views.LoginView.as_view()),
    path("auth/refresh", views.RefreshView.as_view()),
    path("auth/logout", views.LogoutView.as_view()),
    path("auth/logout_all", views.LogoutAllView.as_view()),
    path("user/profile", views.ProfileView.as_view()),
    path("user/change-password", views.ChangePasswordView.as_view()),
    path("user/totp", totp.TotpView.as_view()),
    path("user/totp/confirm", totp.TotpConfirmView.as_view()),
    path("user/totp/remove", totp.TotpRemoveView.as_view()),
    path("user/mail", mail.MailView.as_view()),
    path("user/mail/confirm", mail.MailConfirmView.as_view()),
    path("user/credits", views.CreditsView.as_view()),
]
